"""What infra/cloudfront grants and sets, word for word: a change of it has to be made here too, knowingly."""

from __future__ import annotations

import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from template import CLOUDFRONT, TEMPLATES, listed, load, statements, text

OBJECTS = "arn:${AWS::Partition}:s3:::${BucketName}/*"
BUCKET = "arn:${AWS::Partition}:s3:::${BucketName}"
STAGED = "arn:${AWS::Partition}:s3:::${BucketName}/.causeway/*"
SECRET = "arn:${AWS::Partition}:secretsmanager:%s:${AWS::AccountId}:secret:${SecretsPrefix}/%s"
VIA_S3 = "StringEquals kms:ViaService s3.${AWS::Region}.amazonaws.com"
EDGE_LOG = "arn:${AWS::Partition}:logs:*:${AWS::AccountId}:log-group:/aws/lambda/us-east-1.${Name}-%s:*"


NO_COPY = "Null s3:x-amz-copy-source true"


def log_of(function: str) -> set[tuple[str, str, str]]:
    resource = EDGE_LOG % function
    return {(f"logs:{action}", resource, "") for action in ("CreateLogGroup", "CreateLogStream", "PutLogEvents")}


# What the handler may do at S3, and on which terms, by the condition that it is under.
HANDLER = {
    "HasWrites": {
        ("s3:PutObject", OBJECTS, NO_COPY),
        ("s3:PutObjectTagging", OBJECTS, ""),
        ("s3:AbortMultipartUpload", OBJECTS, ""),
        ("s3:ListMultipartUploadParts", OBJECTS, ""),
        ("s3:GetObject", OBJECTS, ""),
        ("s3:DeleteObject", STAGED, ""),
        ("s3:PutObject", OBJECTS, "StringLike s3:x-amz-copy-source /${BucketName}/.causeway/* ${BucketName}/.causeway/*"),
        ("s3:ListBucket", BUCKET, "StringLike s3:prefix .causeway/*"),
    },
    "HasReads": {
        ("s3:GetObject", OBJECTS, ""),
        ("s3:GetObjectVersion", OBJECTS, ""),
        ("s3:GetObjectTagging", OBJECTS, ""),
        ("s3:GetObjectVersionTagging", OBJECTS, ""),
        ("s3:ListBucket", BUCKET, ""),
    },
    "HasChanges": {
        ("s3:PutObject", OBJECTS, ""),
        ("s3:DeleteObject", OBJECTS, ""),
        ("s3:DeleteObjectVersion", OBJECTS, ""),
        ("s3:DeleteObjectTagging", OBJECTS, ""),
        ("s3:DeleteObjectVersionTagging", OBJECTS, ""),
        ("s3:PutObjectTagging", OBJECTS, ""),
        ("s3:PutObjectVersionTagging", OBJECTS, ""),
        ("s3:ListBucketMultipartUploads", BUCKET, ""),
    },
    "HasBuckets": {
        ("s3:RestoreObject", OBJECTS, ""),
        ("s3:CreateBucket", BUCKET, ""),
        ("s3:DeleteBucket", BUCKET, ""),
        ("s3:GetBucketTagging", BUCKET, ""),
        ("s3:PutBucketTagging", BUCKET, ""),
    },
}

# By role: each action, what on, and under which condition, with every option of the template switched on.
GRANTED = {
    "storage.yaml": {
        "HandlerRole": {
            *(grant for may in HANDLER.values() for grant in may),
            ("kms:GenerateDataKey", "${KmsKeyArn}", VIA_S3),
            ("kms:Decrypt", "${KmsKeyArn}", VIA_S3),
            ("kms:GenerateDataKey", "${DeviceKmsKeyArns}", VIA_S3),
            ("kms:Decrypt", "${DeviceKmsKeyArns}", VIA_S3),
            ("secretsmanager:GetSecretValue", SECRET % ("${SecretsRegion}", "passport-??????"), ""),
            *(
                (
                    f"logs:{action}",
                    "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}"
                    ":log-group:/aws/lambda/${Name}-response-handler:*",
                    "",
                )
                for action in ("CreateLogStream", "PutLogEvents")
            ),
        },
        "ReplicationRole": {
            ("s3:GetReplicationConfiguration", BUCKET, ""),
            ("s3:ListBucket", BUCKET, ""),
            ("s3:GetObjectVersionForReplication", OBJECTS, ""),
            ("s3:GetObjectVersionAcl", OBJECTS, ""),
            ("s3:GetObjectVersionTagging", OBJECTS, ""),
            ("s3:ReplicateObject", "${ReplicationBucketArn}/*", ""),
            ("s3:ReplicateTags", "${ReplicationBucketArn}/*", ""),
            ("kms:Decrypt", "${KmsKeyArn}", VIA_S3),
            ("kms:Encrypt", "${ReplicationKmsKeyArn}", ""),
        },
    },
    "edge.yaml": {
        "AuthorizerRole": {
            *(
                ("secretsmanager:GetSecretValue", SECRET % ("*", name + suffix), "")
                for name in ("passport", "?", "??", "???")
                for suffix in ("", "-??????")
            ),
            *log_of("authorizer"),
        },
        "RouterRole": {
            *(
                grant
                for handler in ("${HandlerFunctionArn}", "${HandlerFunctionArn}:live")
                for grant in (
                    ("lambda:InvokeFunctionUrl", handler, "StringEquals lambda:FunctionUrlAuthType AWS_IAM"),
                    ("lambda:InvokeFunction", handler, "Bool lambda:InvokedViaFunctionUrl true"),
                )
            ),
            ("secretsmanager:GetSecretValue", SECRET % ("*", "passport-??????"), ""),
            *log_of("router"),
        },
        "ResponseRole": {
            ("s3:DeleteObject", "arn:${AWS::Partition}:s3:::${Bucket}/.causeway/*", ""),
            *log_of("origin-response"),
        },
    },
    "edge-logs.yaml": {},
}

# Who may take a role.
TRUSTED = {
    "HandlerRole": {"lambda.amazonaws.com"},
    "ReplicationRole": {"s3.amazonaws.com"},
    "AuthorizerRole": {"lambda.amazonaws.com", "edgelambda.amazonaws.com"},
    "RouterRole": {"lambda.amazonaws.com", "edgelambda.amazonaws.com"},
    "ResponseRole": {"lambda.amazonaws.com", "edgelambda.amazonaws.com"},
}


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """The resources of a type by their names."""
    return {name: made for name, made in template["Resources"].items() if made["Type"] == kind}


def condition(statement: dict[str, Any]) -> str:
    return "; ".join(
        " ".join([operator, key, *(text(value) for value in listed(values))])
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )


@pytest.mark.parametrize("name", TEMPLATES)
def test_cfn_lint_has_nothing_to_say(name: str) -> None:
    regions = ["us-east-1"] if name == "edge.yaml" else ["us-east-1", "eu-west-1", "ap-southeast-1"]
    lint = [Path(sys.executable).with_name("cfn-lint"), "--include-checks", "I", "--regions", *regions]
    done = subprocess.run([*lint, "--", CLOUDFRONT / name], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_role_has_the_rights_that_it_uses_and_no_others(name: str) -> None:
    granted = {}
    for role, made in of_type(load(name), "AWS::IAM::Role").items():
        assert not made["Properties"].get("ManagedPolicyArns"), "rights that AWS may change"
        documents = [policy["PolicyDocument"] for policy in made["Properties"]["Policies"]]
        granted[role] = {
            (action, text(resource), condition(statement))
            for document in documents
            for statement in statements(document)
            for action in listed(statement["Action"])
            for resource in listed(statement["Resource"])
            if statement["Effect"] == "Allow"
        }
    assert granted == GRANTED[name]
    separate = {kind["Type"] for kind in load(name)["Resources"].values()}
    assert not separate & {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy", "AWS::Lambda::Permission"}


def test_a_function_reads_its_own_deployments_secrets_and_none_of_another() -> None:
    granted = {resource for grants in GRANTED["edge.yaml"].values() for action, resource, _ in grants if "Secret" in action}
    patterns = [resource.rpartition(":")[2].replace("${SecretsPrefix}", "acme") for resource in granted]

    def readable(name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in patterns)

    assert all(readable(f"acme/{name}-AbCdEf") for name in ("passport", "0", "17", "255"))
    for name in ("acme/eu/passport", "acme/eu-west/12", "acme/database", "acme/passport-of-another", "acme2/0", "acme"):
        assert not readable(f"{name}-AbCdEf"), name


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_role_is_taken_by_its_service_only(name: str) -> None:
    for role, made in of_type(load(name), "AWS::IAM::Role").items():
        [trust] = made["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert (trust["Effect"], trust["Action"]) == ("Allow", "sts:AssumeRole")
        assert set(trust["Principal"]) == {"Service"}
        assert set(listed(trust["Principal"]["Service"])) == TRUSTED[role]


def test_the_bucket_lets_only_the_signer_of_object_bytes_in_and_nobody_over_plain_http() -> None:
    document = load("storage.yaml")["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"]
    found = {
        (
            statement["Effect"],
            str(statement["Principal"]) if statement["Principal"] == "*" else text([*statement["Principal"].values()][0]),
            action,
            text(resource),
            condition(statement),
        )
        for statement in statements(document)
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }
    source = "StringEquals AWS:SourceArn ${DistributionArn} ${CanaryDistributionArn}"
    plain = "Bool aws:SecureTransport false"
    assert found == {
        ("Deny", "*", "s3:*", BUCKET, plain),
        ("Deny", "*", "s3:*", OBJECTS, plain),
        ("Allow", "cloudfront.amazonaws.com", "s3:PutObject", OBJECTS, f"{source}; {NO_COPY}"),
        ("Allow", "cloudfront.amazonaws.com", "s3:PutObjectTagging", OBJECTS, source),
        ("Allow", "cloudfront.amazonaws.com", "s3:GetObject", OBJECTS, source),
        ("Allow", "cloudfront.amazonaws.com", "s3:GetObjectVersion", OBJECTS, source),
        ("Allow", "cloudfront.amazonaws.com", "s3:ListBucket", BUCKET, source),
        ("Allow", "${RouterRoleArn}", "s3:PutObject", OBJECTS, NO_COPY),
        ("Allow", "${RouterRoleArn}", "s3:PutObjectTagging", OBJECTS, ""),
        ("Allow", "${RouterRoleArn}", "s3:GetObject", OBJECTS, ""),
        ("Allow", "${RouterRoleArn}", "s3:GetObjectVersion", OBJECTS, ""),
        ("Allow", "${RouterRoleArn}", "s3:ListBucket", BUCKET, ""),
    }


def test_the_distribution_writes_only_with_oac_and_the_router_only_without() -> None:
    template = load("storage.yaml")
    statements_of = template["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    under = {
        member["Fn::If"][1]["Sid"]: member["Fn::If"][0] for member in statements_of if set(member) == {"Fn::If"}
    }
    assert under == {
        "TheDistributionWritesObjects": "CloudFrontWrites",
        "TheDistributionTagsObjects": "CloudFrontTags",
        "TheDistributionReadsObjects": "CloudFrontReads",
        "TheDistributionIsToldWhatIsMissing": "CloudFrontReads",
        "TheRouterWritesObjects": "RouterWrites",
        "TheRouterTagsObjects": "RouterTags",
        "TheRouterReadsObjects": "RouterReads",
        "TheRouterIsToldWhatIsMissing": "RouterReads",
    }
    conditions = template["Conditions"]
    assert {"Fn::Equals": [{"Ref": "DirectPath"}, "oac"]} in conditions["CloudFrontSigns"]["Fn::And"]
    assert {"Fn::Equals": [{"Ref": "DirectPath"}, "router-signed"]} in conditions["RouterSigns"]["Fn::And"]
    for who in ("CloudFront", "Router"):
        for what in ("Reads", "Writes"):
            both = [{"Condition": f"{who}Signs"}, {"Condition": f"Has{what}"}]
            assert conditions[f"{who}{what}"]["Fn::And"] == both
        tags = [{"Condition": f"{who}Writes"}, {"Condition": "HasTagging"}]
        assert conditions[f"{who}Tags"]["Fn::And"] == tags


ACCESS = {
    "upload-only": {"HasWrites"},
    "read-only": {"HasReads"},
    "read-write": {"HasWrites", "HasReads", "HasChanges"},
    "data-layer": {"HasWrites", "HasReads", "HasChanges", "HasBuckets"},
}
"""The conditions that hold under each value of the parameter Access."""


def holds(condition: dict, access: str) -> bool:
    """Whether a condition that is made of Access alone holds."""
    [(operator, operands)] = condition.items()
    if operator == "Fn::Equals":
        assert operands[0] == {"Ref": "Access"}
        return operands[1] == access
    return {"Fn::Not": lambda found: not found[0], "Fn::Or": any}[operator]([holds(one, access) for one in operands])


def test_nobody_does_more_than_upload_unless_asked_to() -> None:
    template = load("storage.yaml")
    access = template["Parameters"]["Access"]
    assert (access["Default"], access["AllowedValues"]) == ("upload-only", list(ACCESS))
    for value, expected in ACCESS.items():
        names = ("HasWrites", "HasReads", "HasChanges", "HasBuckets")
        assert {name for name in names if holds(template["Conditions"][name], value)} == expected, value


def test_the_handler_may_do_at_s3_what_its_access_says_and_nothing_else() -> None:
    document = load("storage.yaml")["Resources"]["HandlerRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    may: dict[str, set[tuple[str, str, str]]] = {}
    for member in document["Statement"]:
        under, statement = (member["Fn::If"][0], member["Fn::If"][1]) if set(member) == {"Fn::If"} else ("", member)
        for action in listed(statement["Action"]):
            if action.startswith("s3:"):
                resources = listed(statement["Resource"])
                may.setdefault(under, set()).update((action, text(one), condition(statement)) for one in resources)
    assert may == HANDLER


def test_the_bucket_is_private_encrypted_and_kept() -> None:
    bucket = load("storage.yaml")["Resources"]["Bucket"]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    properties = bucket["Properties"]
    assert properties["PublicAccessBlockConfiguration"] == dict.fromkeys(
        ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"], True
    )
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    rules = listed(properties["BucketEncryption"]["ServerSideEncryptionConfiguration"])
    assert {rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] for rule in rules} == {"aws:kms", "AES256"}


def test_the_bucket_never_has_versions_unless_asked_to() -> None:
    template = load("storage.yaml")
    versioning = template["Parameters"]["Versioning"]
    assert (versioning["Default"], versioning["AllowedValues"]) == ("Unversioned", ["Enabled", "Suspended", "Unversioned"])
    # S3 makes delete markers where it was ever told a status, a suspended one too.
    status = template["Resources"]["Bucket"]["Properties"]["VersioningConfiguration"]
    assert status == {"Fn::If": ["HasVersioning", {"Status": {"Ref": "Versioning"}}, {"Ref": "AWS::NoValue"}]}
    unversioned = {"Fn::Equals": [{"Ref": "Versioning"}, "Unversioned"]}
    assert template["Conditions"]["HasVersioning"] == {"Fn::Not": [unversioned]}


def test_what_is_left_of_uploads_goes_and_no_staged_part_before_its_upload() -> None:
    rules = listed(load("storage.yaml")["Resources"]["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"])
    by_id = {rule.pop("Id"): rule for rule in rules}
    assert {rule.pop("Status") for rule in by_id.values()} == {"Enabled"}
    days = {"Ref": "AbortUploadsAfterDays"}
    # Uploads are at the objects' own keys: the rule is for all.
    assert by_id["abort-incomplete-uploads"] == {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": days}}
    assert by_id["drop-staged-parts"] == {
        "Prefix": ".causeway/",
        "ExpirationInDays": days,
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
    }
    assert by_id["drop-markers-of-staged-parts"] == {"Prefix": ".causeway/", "ExpiredObjectDeleteMarker": True}


def test_the_staged_parts_that_the_origin_response_function_deletes_are_those_of_the_distributions_bucket() -> None:
    [policy] = load("edge.yaml")["Resources"]["ResponseRole"]["Properties"]["Policies"]
    [_, names] = policy["PolicyDocument"]["Statement"][0]["Resource"]["Fn::Sub"]
    assert names == {"Bucket": {"Fn::Select": [0, {"Fn::Split": [".", {"Ref": "BucketDomain"}]}]}}


def test_no_secret_is_in_the_templates_and_the_passport_is_generated() -> None:
    generated = load("edge.yaml")["Resources"]["Passport"]["Properties"]
    assert "SecretString" not in generated
    assert generated["GenerateSecretString"] == {
        "SecretStringTemplate": '{"id":"p1"}',
        "GenerateStringKey": "secret",
        "PasswordLength": 64,
        "ExcludePunctuation": True,
    }


def test_a_function_answers_only_signed_requests_of_its_url() -> None:
    [url] = of_type(load("storage.yaml"), "AWS::Lambda::Url").values()
    assert url["Properties"]["AuthType"] == "AWS_IAM"
    assert "Cors" not in url["Properties"]


def test_the_function_url_calls_only_code_whose_sha256_was_compared() -> None:
    resources = load("storage.yaml")["Resources"]
    [(name, alias)] = of_type(load("storage.yaml"), "AWS::Lambda::Alias").items()
    assert alias["Properties"]["FunctionVersion"] == {"Fn::GetAtt": ["HandlerVersion", "Version"]}
    assert resources["HandlerVersion"]["Properties"]["CodeSha256"] == {"Ref": "HandlerCodeSha256"}
    assert "RoutingConfig" not in alias["Properties"]
    url = resources["HandlerUrl"]
    assert (url["Properties"]["Qualifier"], url["DependsOn"]) == (alias["Properties"]["Name"], name)


def test_the_functions_at_the_edge_keep_to_what_lambda_at_edge_takes() -> None:
    template = load("edge.yaml")
    functions = {name: made["Properties"] for name, made in of_type(template, "AWS::Lambda::Function").items()}
    allowed = {"FunctionName", "Description", "Runtime", "Handler", "MemorySize", "Timeout", "Role", "Code"}
    assert all(set(function) == allowed for function in functions.values())
    assert {name: function["Handler"] for name, function in functions.items()} == {
        "Authorizer": "index.handler",
        "Router": "index.handler",
        "Response": "index.originResponse",
    }
    assert (functions["Authorizer"]["MemorySize"], functions["Authorizer"]["Timeout"]) == (128, 5)
    assert max(function["Timeout"] for function in functions.values()) <= 30
    for name, version in of_type(template, "AWS::Lambda::Version").items():
        function = version["Properties"]["FunctionName"]["Ref"]
        assert name == f"{function}Version"
        # Replicas can't be deleted at once, and a version is published for the code that was built.
        assert (version["DeletionPolicy"], version["UpdateReplacePolicy"]) == ("Retain", "Retain")
        assert version["Properties"]["CodeSha256"] == {"Ref": f"{function}CodeSha256"}
        frozen = text(version["Properties"]["Description"])
        made = functions[function]
        assert f"{made['Runtime']}, {made['MemorySize']} MB, {made['Timeout']} s" in frozen


def test_every_path_goes_through_the_three_functions_and_nothing_is_cached() -> None:
    resources = load("edge.yaml")["Resources"]
    distribution = resources["Distribution"]["Properties"]["DistributionConfig"]
    assert not {"CacheBehaviors", "OriginGroups", "DefaultRootObject", "Logging"} & set(distribution)
    behaviour = distribution["DefaultCacheBehavior"]
    assert not {"TrustedKeyGroups", "TrustedSigners", "FunctionAssociations"} & set(behaviour)
    assert behaviour["ViewerProtocolPolicy"] == {"Ref": "ViewerProtocolPolicy"}
    assert sorted(behaviour["AllowedMethods"]) == ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
    associations = {
        found["EventType"]: (found["LambdaFunctionARN"]["Ref"], found.get("IncludeBody", False))
        for found in behaviour["LambdaFunctionAssociations"]
    }
    assert associations == {
        "viewer-request": ("AuthorizerVersion", False),
        "origin-request": ("RouterVersion", True),
        "origin-response": ("ResponseVersion", False),
    }
    cached = resources["CachePolicy"]["Properties"]["CachePolicyConfig"]
    assert [cached[ttl] for ttl in ("MinTTL", "DefaultTTL", "MaxTTL")] == [0, 0, 0]
    forwarded = resources["OriginRequestPolicy"]["Properties"]["OriginRequestPolicyConfig"]
    assert forwarded["HeadersConfig"] == {"HeaderBehavior": "allExcept", "Headers": ["Host"]}
    assert forwarded["QueryStringsConfig"] == {"QueryStringBehavior": "all"}
    # All that CloudFront lets be set: otherwise it would answer with an error of ten seconds ago.
    kept = {rule["ErrorCode"]: rule for rule in distribution["CustomErrorResponses"]}
    assert set(kept) == {400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504}
    assert all(set(rule) == {"ErrorCode", "ErrorCachingMinTTL"} for rule in kept.values())
    assert {rule["ErrorCachingMinTTL"] for rule in kept.values()} == {0}


def test_plain_http_is_refused_unless_asked_for_and_never_redirected() -> None:
    parameters = load("edge.yaml")["Parameters"]
    assert parameters["ViewerProtocolPolicy"]["Default"] == "https-only"
    assert parameters["ViewerProtocolPolicy"]["AllowedValues"] == ["https-only", "allow-all"]
    assert parameters["MinimumProtocolVersion"]["Default"] == "TLSv1.2_2021"


def test_origin_access_control_signs_always_and_for_s3() -> None:
    config = load("edge.yaml")["Resources"]["OriginAccessControl"]["Properties"]["OriginAccessControlConfig"]
    assert (config["OriginAccessControlOriginType"], config["SigningBehavior"], config["SigningProtocol"]) == (
        "s3",
        "always",
        "sigv4",
    )


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_parameter_is_described_and_bounded(name: str) -> None:
    for parameter, declared in load(name)["Parameters"].items():
        assert declared.get("Description", "").rstrip().endswith("."), parameter
        bounds = {"AllowedPattern", "AllowedValues", "MinValue", "MaxValue", "MaxLength"} & set(declared)
        assert bounds or declared["Type"] == "CommaDelimitedList", parameter
        assert ("AllowedPattern" in declared) == ("ConstraintDescription" in declared), parameter


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_log_group_forgets(name: str) -> None:
    for group in of_type(load(name), "AWS::Logs::LogGroup").values():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
