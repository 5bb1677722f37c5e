#!/usr/bin/env bash
# Proves, on the account where it is deployed, what the gateway on CloudFront rests on and no document of AWS confirms.
# Each request is one that a device could send; what it stored is read back from the bucket. See --help.
set -euo pipefail
export LC_ALL=C
newline=$'\n'

# The facts, in the order of their proof: name, what holds, and where to look if it does not.
facts() {
    cat <<'END'
viewer-request-runs|the authorizer runs at viewer-request, its zip fits, and it sees Authorization|the association in edge.yaml, the function's log
generated-answers|an answer that a function gives has Date, one request id and its body|oss2 and ali-oss need both headers
viewer-sees-length|viewer-request sees whether there is a Content-Length|a chunked body would reach S3, which refuses it
oac-signs-last|origin access control signs what the functions made of the request, and not the viewer's Authorization|direct_path = "router-signed"
oac-unsigned-payload|origin access control takes a body whose digest nobody has stated|direct_path = "router-signed"
bodies-stream|a body above 1 MB reaches S3 whole although the router sees its beginning|IncludeBody of the router
headers-reach-s3|headers that viewer-request wrote reach S3 through the origin-request policy|the policy in edge.yaml
tags-reach-s3|tags are stored under AllowTagging|the bucket's policy
digest-reaches-s3|S3 checks Content-MD5, so a damaged body is refused|the origin-request policy
if-none-match-on-put|If-None-Match added at viewer-request reaches S3 on PUT, and a second create is refused|x-oss-forbid-overwrite cannot be offered on this path
origin-response-request|origin-response sees the request as the router left it, and may replace S3's error|the origin-response function's log
raw-uri|viewer-request sees the path as sent, and origin access control signs the one that is sent to S3|keys with such characters fail
raw-query|viewer-request sees the query as sent, and CloudFront leaves Expires and Signature of a presigned URL alone|trusted key groups on the behaviour
forged-headers|x-causeway-* headers that a viewer sends have no effect|somebody changed the authorizer
oac-off-after-swap|origin access control is off once the router has swapped the origin: the function URL takes the router's signature|OAC signs for the new origin too; the function URL answers 403
function-url-headers|the function URL hands over x-causeway-* headers and the Host that the router set|the handler answers AccessDenied for want of a passport
parts-reach-s3|parts go on to S3 by origin access control, and their ETags come back|the bucket's policy
staged-part-goes|origin-response sees the query that S3 was sent, and its role deletes the staged part of that number|s3:DeleteObject of the function's role; a part that is sent again could be taken for the older one
authorization-on-get|a viewer's Authorization on GET reaches viewer-request|GET needs it in the cache policy
body-in-event|origin-request has the body of a Complete up to 1 MB: 10,000 parts|uploads of that many parts cannot be completed
body-cut-is-told|a body above that is told as cut, and refused with a reason|a cut part list would be completed
complete|a Complete makes the object|the handler's role
complete-again|a Complete whose answer was lost can be repeated|s3:GetObject of the handler's role
abort|an abort reaches S3|s3:AbortMultipartUpload of the handler's role
errors-not-cached|an error is not kept for the next request|CustomErrorResponses in edge.yaml
small-parts-wait|parts of 1 MiB wait beside the objects, signed like object bytes|[buckets.staging], or --staging is another place
small-parts-are-joined|a Complete joins them into the object, and they are gone|s3:ListBucket and s3:DeleteObject of the handler's role
no-redirect|plain http is not redirected|ViewerProtocolPolicy
bucket-is-private|nobody reads the bucket without a signature|the public access block
conditions-on-get|with --reads: Range and If-None-Match that viewer-request wrote reach S3 on GET|reads get the whole object, or 403
overrides-reach-s3|with --reads: response-* parameters reach S3 under origin access control's signature|signed links cannot set an answer's headers
missing-is-told|with --reads: S3 tells a missing object by 404|s3:ListBucket in the bucket's policy
list|with --reads: the handler lists the bucket|s3:ListBucket of the handler's role
copy|with --changes: the handler copies an object|s3:GetObject and s3:PutObject of the handler's role
delete|with --changes: the handler deletes an object|s3:DeleteObject of the handler's role
END
}

usage() {
    cat <<'END'
Usage: CAUSEWAY_KEY_ID=… CAUSEWAY_KEY_SECRET=… verify.sh --url URL --bucket NAME --origin s3://BUCKET --region REGION
                 [--mount PREFIX/] [--staging s3://BUCKET/PREFIX/] [--path-style] [--reads] [--changes]
                 [--connect HOST:PORT] [--origin-endpoint URL] [--keep]

Proves on a real account what the gateway rests on. Sends requests as a device and reads back from the bucket with your
own credentials, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN (with a profile:
eval "$(aws configure export-credentials --format env)"). They need s3:GetObject and s3:DeleteObject below the mount, and
s3:GetObject where small parts wait.
The test key needs the grant {"bucket": NAME, "operations": ["upload-only", "ListParts"], "mount": PREFIX/}.

  --url URL              where devices send to, such as https://upload.example.com
  --bucket NAME          the bucket that devices sign
  --origin s3://BUCKET   the S3 bucket behind it
  --region REGION        its region
  --mount PREFIX/        what the test key's grant puts before keys
  --staging s3://BUCKET/PREFIX/
                         where small parts wait; by default .causeway/ of the same S3 bucket
  --path-style           the URL's host wants /NAME/key (otherwise it is a CNAME host: /key)
  --reads                prove reads too: Access is not "upload-only", and the grant has "read-only" as well
  --changes              prove a copy and a deletion too: Access is "read-write" or more, and the grant has "read-write"
  --connect HOST:PORT    connect there instead, and send the URL's host as Host
  --origin-endpoint URL  an S3 server that is not AWS, addressed path-style
  --keep                 leave the objects (below causeway-verify/); otherwise they are deleted

Prints a line per fact, then `N passed, M failed`; exits with 0 when all hold, 1 when one fails, 2 when it could not
begin. It stores about 30 MB. The facts, and what is concerned if one does not hold:

END
    local name holds otherwise
    while IFS='|' read -r name holds otherwise; do
        printf '  %-23s %s\n  %-23s if not: %s\n' "${name}" "${holds}" "" "${otherwise}"
    done < <(facts)
}

stop() {
    printf 'error: %s\n' "$1" >&2
    exit 2
}

url="" bucket="" origin="" region="" mount="" staging="" path_style=no reads=no changes=no connect="" origin_endpoint="" keep=no
while [[ $# -gt 0 ]]; do
    case $1 in
    --help | -h) usage && exit 0 ;;
    --path-style) path_style=yes ;;
    --reads) reads=yes ;;
    --changes) changes=yes ;;
    --keep) keep=yes ;;
    --url | --bucket | --origin | --region | --mount | --staging | --connect | --origin-endpoint)
        [[ $# -ge 2 ]] || stop "$1 needs a value"
        case $1 in
        --url) url=${2%/} ;;
        --bucket) bucket=$2 ;;
        --origin) origin=${2#s3://} origin=${origin%/} ;;
        --region) region=$2 ;;
        --mount) mount=$2 ;;
        --staging) staging=${2#s3://} ;;
        --connect) connect=$2 ;;
        *) origin_endpoint=${2%/} ;;
        esac
        shift
        ;;
    *) stop "unknown option $1; --help lists them" ;;
    esac
    shift
done
for program in curl openssl; do
    command -v "${program}" >/dev/null || stop "${program} is needed: install it"
done
[[ ${url} =~ ^https?://[^/]+$ ]] || stop "--url is needed: https://HOST, as devices send to"
[[ -n ${bucket} ]] || stop "--bucket is needed: the bucket that devices sign"
[[ -n ${origin} ]] || stop "--origin is needed: s3://BUCKET, the S3 bucket"
[[ -n ${region} ]] || stop "--region is needed: the region of the S3 bucket"
[[ -z ${mount} || ${mount} =~ ^[A-Za-z0-9._/-]+/$ ]] || stop "--mount has to end in / and be plain letters"
staging=${staging:-${origin}/.causeway/}
[[ ${staging} =~ ^[a-z0-9.-]+/\.causeway/([A-Za-z0-9._-]+/)*$ ]] || stop "--staging has to be s3://BUCKET/.causeway/, or a folder of it"
key_id=${CAUSEWAY_KEY_ID:-} key_secret=${CAUSEWAY_KEY_SECRET:-}
[[ -n ${key_id} && -n ${key_secret} ]] || stop "set CAUSEWAY_KEY_ID and CAUSEWAY_KEY_SECRET to those of the test key"
[[ -n ${AWS_ACCESS_KEY_ID:-} && -n ${AWS_SECRET_ACCESS_KEY:-} ]] ||
    stop "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: what was stored is read back with them"

work=$(mktemp -d)
trap 'rm -rf "${work}"' EXIT
passed=0 failed=0
stored=()
folder="causeway-verify/$(openssl rand -hex 4)"

# --- Requests of a device -------------------------------------------------------------------------------------------

# The parts of the next request that OSS V1 signs; cleared when it is sent. x_oss has lines `name:value`, sorted.
type="" md5="" x_oss=""
status="" code=""

base64_of() { openssl base64 -A; }
hex_of() { od -An -v -tx1 | tr -d ' \n'; }

# keyed DIGEST KEY: the HMAC of standard input, in binary, under a key in hex. Not openssl's own: keys would stand on its
# command line, where everybody on this machine can read them.
keyed() {
    local digest=$1 key=$2 bytes="" inner="" outer="" byte at
    if [[ ${#key} -gt 128 ]]; then
        for ((at = 0; at < ${#key}; at += 2)); do bytes+="\\x${key:at:2}"; done
        key=$(printf '%b' "${bytes}" | openssl dgst "-${digest}" -binary | hex_of)
    fi
    for ((at = 0; at < 128; at += 2)); do
        byte=$((16#0${key:at:2}))
        printf -v inner '%s\\x%02x' "${inner}" $((byte ^ 0x36))
        printf -v outer '%s\\x%02x' "${outer}" $((byte ^ 0x5c))
    done
    { printf '%b' "${inner}" && cat; } | openssl dgst "-${digest}" -binary |
        { printf '%b' "${outer}" && cat; } | openssl dgst "-${digest}" -binary
}

# What a header of the last answer says, or how often it is there.
field() { tr -d '\r' <"$2" | awk -v name="$1:" 'tolower($1) == name && !found++ { sub(/^[^:]*: */, ""); print }'; }
header() { field "$1" "${work}/head"; }
headers_named() { grep -ci "^$1:" "${work}/head" || true; }

# send METHOD TARGET [curl options]: sets status and code; the answer is in ${work}/head and ${work}/body.
send() {
    local method=$1 target=$2 options=()
    shift 2
    [[ -z ${connect} ]] || options=(--connect-to "::${connect}")
    : >"${work}/head"
    : >"${work}/body"
    status=$(curl --silent --http1.1 --globoff --path-as-is --max-time 120 "${options[@]+"${options[@]}"}" \
        --request "${method}" --dump-header "${work}/head" --output "${work}/body" --write-out '%{http_code}' \
        "$@" "${url}${target}") || status="no answer"
    code=$(sed -n 's:.*<Code>\(.*\)</Code>.*:\1:p' "${work}/body" | head -n 1)
}

# string_to_sign METHOD DATE RESOURCE
string_to_sign() { printf '%s\n%s\n%s\n%s\n%s%s' "$1" "${md5}" "${type}" "$2" "${x_oss:+${x_oss}${newline}}" "/${bucket}/$3"; }
signature() { keyed sha1 "$(printf '%s' "${key_secret}" | hex_of)" | base64_of; }

# target KEY: the path of a key as sent.
target() {
    if [[ ${path_style} == yes ]]; then printf '/%s/%s' "${bucket}" "$1"; else printf '/%s' "$1"; fi
}

# device METHOD KEY-AS-SENT KEY SUBRESOURCES [curl options]: a request signed by the test key.
device() {
    local method=$1 sent=$2 resource=$3$4 query=$4 date line signed options=()
    shift 4
    date=$(date -u '+%a, %d %b %Y %H:%M:%S GMT')
    signed=$(string_to_sign "${method}" "${date}" "${resource}" | signature)
    options=(--header "Date: ${date}" --header "Authorization: OSS ${key_id}:${signed}" --header "Content-Type: ${type}")
    [[ -z ${md5} ]] || options+=(--header "Content-MD5: ${md5}")
    while IFS= read -r line; do
        [[ -z ${line} ]] || options+=(--header "${line/:/: }")
    done <<<"${x_oss}"
    type="" md5="" x_oss=""
    send "${method}" "$(target "${sent}")${query}" "${options[@]}" "$@"
}

# put KEY FILE [curl options]: PutObject of a key that needs no escapes.
put() {
    local key=$1 file=$2
    shift 2
    stored+=("${key}")
    device PUT "${key}" "${key}" "" --upload-file "${file}" "$@"
}

# --- What is in the bucket ------------------------------------------------------------------------------------------

sha256() { openssl dgst -sha256 -r | cut -d ' ' -f 1; }
hmac() { keyed sha256 "$1" | hex_of; }

# origin METHOD KEY-ESCAPED: sets origin_status; the answer is in ${work}/origin-head and ${work}/origin-body.
origin() {
    local method=$1 path host base now empty headers signed canonical scope derived
    local token=${AWS_SESSION_TOKEN:-}
    if [[ -n ${origin_endpoint} ]]; then
        base=${origin_endpoint} path="/${origin}/$2"
    else
        base="https://${origin}.s3.${region}.amazonaws.com" path="/$2"
    fi
    host=${base#*://}
    now=$(date -u '+%Y%m%dT%H%M%SZ')
    empty=$(printf '' | sha256)
    headers="host:${host}${newline}x-amz-content-sha256:${empty}${newline}x-amz-date:${now}${newline}"
    signed="host;x-amz-content-sha256;x-amz-date"
    [[ -z ${token} ]] || headers+="x-amz-security-token:${token}${newline}" signed+=";x-amz-security-token"
    canonical="${method}${newline}${path}${newline}${newline}${headers}${newline}${signed}${newline}${empty}"
    scope="${now%%T*}/${region}/s3/aws4_request"
    derived=$(printf '%s' "${now%%T*}" | hmac "$(printf 'AWS4%s' "${AWS_SECRET_ACCESS_KEY}" | hex_of)")
    derived=$(printf '%s' "${region}" | hmac "${derived}")
    derived=$(printf 's3' | hmac "${derived}")
    derived=$(printf 'aws4_request' | hmac "${derived}")
    derived=$(printf 'AWS4-HMAC-SHA256\n%s\n%s\n%s' "${now}" "${scope}" "$(printf '%s' "${canonical}" | sha256)" |
        hmac "${derived}")
    : >"${work}/origin-head"
    : >"${work}/origin-body"
    set -- --header "x-amz-content-sha256: ${empty}" --header "x-amz-date: ${now}" --header \
        "Authorization: AWS4-HMAC-SHA256 Credential=${AWS_ACCESS_KEY_ID}/${scope}, SignedHeaders=${signed}, Signature=${derived}"
    [[ -z ${token} ]] || set -- "$@" --header "x-amz-security-token: ${token}"
    [[ ${method} == HEAD ]] && set -- "$@" --head
    origin_status=$(curl --silent --globoff --path-as-is --max-time 120 --request "${method}" "$@" \
        --dump-header "${work}/origin-head" --output "${work}/origin-body" --write-out '%{http_code}' \
        "${base}${path}") || origin_status="no answer"
}

# is_stored KEY-ESCAPED FILE: whether the bucket has these bytes under the key.
is_stored() {
    origin GET "${mount}$1"
    if [[ ${origin_status} != 200 ]]; then
        saw="the bucket has no ${mount}$1 (${origin_status})"
        return 1
    fi
    saw="the bucket has other bytes under ${mount}$1"
    cmp -s "${work}/origin-body" "$2"
}

stored_header() { field "$1" "${work}/origin-head"; }

# --- The proofs -----------------------------------------------------------------------------------------------------

saw=""

# prove FACT COMMAND…: a line that says whether the command succeeded, with what was seen if not.
prove() {
    local fact=$1
    shift
    facts | grep -q "^${fact}|" || stop "verify.sh has no fact ${fact}"
    saw=""
    if "$@"; then
        passed=$((passed + 1))
        printf 'pass  %s\n' "${fact}"
    else
        failed=$((failed + 1))
        printf 'FAIL  %-23s %s; answered %s %s, request %s\n' "${fact}" "${saw:-not as it should be}" "${status}" \
            "${code}" "$(header x-oss-request-id)"
        facts | sed -n "s/^${fact}|\(.*\)|\(.*\)/      expected: \1\n      concerns: \2/p"
    fi
}

# answered STATUS [CODE]
answered() { [[ ${status} == "$1" && ${code} == "${2:-}" ]]; }

signature_is_refused() {
    device PUT "${folder}/never" "${folder}/other" "" --upload-file "${work}/small"
    answered 403 SignatureDoesNotMatch
}

answer_is_whole() {
    [[ $(headers_named date) == 1 && $(headers_named x-oss-request-id) == 1 ]] || return 1
    grep -q "<RequestId>$(header x-oss-request-id)</RequestId>" "${work}/body"
}

chunked_is_refused() {
    device PUT "${folder}/never" "${folder}/never" "" --header "Transfer-Encoding: chunked" --upload-file - <"${work}/small"
    answered 411 MissingContentLength
}

small_is_stored() {
    put "${folder}/small" "${work}/small"
    answered 200 && is_stored "${folder}/small" "${work}/small"
}

# The device states no digest of the body in any way.
plain_body_is_stored() {
    put "${folder}/medium" "${work}/medium"
    answered 200 && is_stored "${folder}/medium" "${work}/medium"
}

large_is_stored() {
    put "${folder}/large" "${work}/large"
    answered 200 && is_stored "${folder}/large" "${work}/large"
}

headers_are_stored() {
    type="text/x-causeway" x_oss="x-oss-meta-proof:kept"
    put "${folder}/headers" "${work}/small" --header "Cache-Control: no-cache" --header 'Content-Disposition: attachment; filename="a b"'
    answered 200 || return 1
    origin HEAD "${mount}${folder}/headers"
    saw="the object lacks one of Content-Type, Cache-Control, Content-Disposition, x-amz-meta-proof"
    [[ $(stored_header content-type) == text/x-causeway && $(stored_header x-amz-meta-proof) == kept ]] &&
        [[ $(stored_header cache-control) == no-cache && $(stored_header content-disposition) == attachment* ]]
}

tags_are_taken() {
    x_oss="x-oss-tagging:proof=kept"
    put "${folder}/tags" "${work}/small"
    answered 200
}

# S3 says BadDigest in a body that origin-response does not see.
wrong_digest_is_refused() {
    md5=$(printf other | openssl dgst -md5 -binary | base64_of)
    put "${folder}/damaged" "${work}/small"
    [[ ${status} == 400 ]] || return 1
    origin HEAD "${mount}${folder}/damaged"
    saw="a body with a wrong Content-MD5 was stored"
    [[ ${origin_status} != 200 ]]
}

second_create_is_refused() {
    x_oss="x-oss-forbid-overwrite:true"
    put "${folder}/once" "${work}/small"
    answered 200 || return 1
    x_oss="x-oss-forbid-overwrite:true"
    put "${folder}/once" "${work}/medium"
    saw="the second create was not refused"
    [[ ${status} == 409 ]] && is_stored "${folder}/once" "${work}/small"
}

# The answer just before: S3's 412 under a path that only the router's request has, in OSS's words.
error_is_translated() {
    saw="S3's error reached the device as it was"
    answered 409 FileAlreadyExists && [[ $(header content-type) == application/xml ]] && [[ -n $(header x-oss-request-id) ]] &&
        ! grep -qiE '^x-amz-(id-2|request-id):' "${work}/head"
}

# Each key as sent, as OSS signs it, and as S3 names it.
awkward_keys() {
    cat <<'END'
raw+plus raw+plus raw%2Bplus
escaped%2Bplus escaped+plus escaped%2Bplus
escaped%2Fslash escaped/slash escaped/slash
two//slashes two//slashes two//slashes
~tilde ~tilde ~tilde
escaped%7Etilde escaped~tilde escaped~tilde
raw!$&'()*,;=:@ raw!$&'()*,;=:@ raw%21%24%26%27%28%29%2A%2C%3B%3D%3A%40
per%25cent per%cent per%25cent
lower%e4%b8%ad lower中 lower%E4%B8%AD
%6Cetter letter letter
END
}

awkward_keys_are_stored() {
    local sent key name
    while IFS=' ' read -r sent key name; do
        printf '%s' "${sent}" >"${work}/awkward"
        stored+=("${folder}/${name}")
        device PUT "${folder}/${sent}" "${folder}/${key}" "" --upload-file "${work}/awkward"
        saw="the key ${sent} was refused"
        answered 200 || return 1
        is_stored "${folder}/${name}" "${work}/awkward" || return 1
    done < <(awkward_keys)
}

# Until the signature has a character that a query has to escape.
presigned_put_is_stored() {
    local expires signed
    expires=$(($(date +%s) + 600))
    while :; do
        signed=$(string_to_sign PUT "${expires}" "${folder}/presigned" | signature)
        [[ ${signed} == *+* && ${signed} == */* ]] && break
        expires=$((expires + 1))
    done
    signed=${signed//+/%2B} signed=${signed//\//%2F} signed=${signed//=/%3D}
    stored+=("${folder}/presigned")
    send PUT "$(target "${folder}/presigned")?OSSAccessKeyId=${key_id}&Expires=${expires}&Signature=${signed}" \
        --header "Content-Type:" --upload-file "${work}/small"
    answered 200 && is_stored "${folder}/presigned" "${work}/small"
}

forged_headers_do_nothing() {
    local forged=(--header "x-causeway-passport: v1.p1.forged" --header "x-causeway-errand: {}"
        --header "x-causeway-origin: example.com" --header "x-causeway-body: forged" --header "x-causeway-handler: example.com")
    put "${folder}/forged" "${work}/small" "${forged[@]}"
    answered 200 && is_stored "${folder}/forged" "${work}/small" || return 1
    send PUT "$(target "${folder}/never")" "${forged[@]}" --header "Content-Type:" --upload-file "${work}/small"
    saw="a request with a forged passport and no signature was not refused"
    answered 403 AccessDenied || return 1
    origin HEAD "${mount}${folder}/never"
    [[ ${origin_status} != 200 ]]
}

upload=""
upload_begins() {
    device POST "${folder}/parts" "${folder}/parts" "?uploads" --data-binary ""
    upload=$(sed -n 's:.*<UploadId>\(.*\)</UploadId>.*:\1:p' "${work}/body")
    stored+=("${folder}/parts")
    saw="no upload was initiated"
    answered 200 && [[ -n ${upload} ]]
}

# The answer just before: in OSS's words, so the handler had its errand and passport.
document_is_translated() {
    saw="the answer is not the response handler's"
    answered 200 && ! grep -q xmlns "${work}/body" && [[ -n $(header x-oss-request-id) ]]
}

etags=()
parts_are_stored() {
    local part
    for part in 1 2; do
        device PUT "${folder}/parts" "${folder}/parts" "?partNumber=${part}&uploadId=${upload}" --upload-file "${work}/part-${part}"
        saw="part ${part} was refused"
        answered 200 || return 1
        etags+=("$(header etag)")
    done
    saw="an answer to a part lacks its ETag"
    [[ -n ${etags[0]} && -n ${etags[1]} ]]
}

# The 100 bytes wait in the bucket until S3 has the 5 MiB of the same number; a list names what waits there first.
small_part_is_replaced() {
    local content id
    device POST "${folder}/replaced" "${folder}/replaced" "?uploads" --data-binary ""
    id=$(sed -n 's:.*<UploadId>\(.*\)</UploadId>.*:\1:p' "${work}/body")
    for content in part-2 part-1; do
        device PUT "${folder}/replaced" "${folder}/replaced" "?partNumber=1&uploadId=${id}" --upload-file "${work}/${content}"
        saw="${content} was refused as part 1"
        answered 200 || return 1
    done
    device GET "${folder}/replaced" "${folder}/replaced" "?uploadId=${id}"
    saw="part 1 is not the one that was sent last; the test key needs the operation ListParts"
    answered 200 && grep -q '<Size>5242880</Size>' "${work}/body" || return 1
    device DELETE "${folder}/replaced" "${folder}/replaced" "?uploadId=${id}"
    saw="the upload was not aborted"
    answered 204
}

parts_are_listed() {
    device GET "${folder}/parts" "${folder}/parts" "?uploadId=${upload}"
    saw="the parts were not listed; the test key needs the operation ListParts"
    answered 200 && [[ $(grep -o '<PartNumber>' "${work}/body" | wc -l) -eq 2 ]]
}

# part_list COUNT PADDING: a Complete with made-up ETags.
part_list() {
    printf '<CompleteMultipartUpload>'
    awk -v count="$1" -v padding="$2" 'BEGIN {
        for (n = 1; n <= count; n++)
            printf "<Part><PartNumber>%d</PartNumber><ETag>\"%032d\"</ETag></Part>%*s", n, n, padding, ""
    }'
    printf '</CompleteMultipartUpload>'
}

# S3 knows none of the parts, so it has seen the list.
long_list_reaches_s3() {
    part_list 10000 10 >"${work}/list"
    device POST "${folder}/parts" "${folder}/parts" "?uploadId=${upload}" --data-binary "@${work}/list"
    saw="a part list of $(wc -c <"${work}/list") bytes did not reach S3"
    answered 400 InvalidPart
}

longer_list_is_refused() {
    part_list 10000 40 >"${work}/list"
    device POST "${folder}/parts" "${folder}/parts" "?uploadId=${upload}" --data-binary "@${work}/list"
    saw="a part list of $(wc -c <"${work}/list") bytes was not refused for its size"
    answered 400 EntityTooLarge
}

# complete_of KEY: of its two parts.
complete_of() {
    printf '<CompleteMultipartUpload>' >"${work}/list"
    printf '<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>' 1 "${etags[0]:-}" 2 "${etags[1]:-}" >>"${work}/list"
    printf '</CompleteMultipartUpload>' >>"${work}/list"
    device POST "${folder}/$1" "${folder}/$1" "?uploadId=${upload}" --data-binary "@${work}/list"
}

complete() {
    complete_of parts
    cat "${work}/part-1" "${work}/part-2" >"${work}/whole"
    answered 200 && is_stored "${folder}/parts" "${work}/whole"
}

abort() {
    device POST "${folder}/aborted" "${folder}/aborted" "?uploads" --data-binary ""
    upload=$(sed -n 's:.*<UploadId>\(.*\)</UploadId>.*:\1:p' "${work}/body")
    saw="no upload was initiated"
    answered 200 || return 1
    device DELETE "${folder}/aborted" "${folder}/aborted" "?uploadId=${upload}"
    saw="the upload was not aborted"
    answered 204
}

# initiate KEY: sets upload.
initiate() {
    device POST "${folder}/$1" "${folder}/$1" "?uploads" --data-binary ""
    upload=$(sed -n 's:.*<UploadId>\(.*\)</UploadId>.*:\1:p' "${work}/body")
    saw="no upload was initiated"
    answered 200 && [[ -n ${upload} ]]
}

# waits KEY NUMBER FILE: whether the upload's part waits, with these bytes. Its place is told by a digest of bucket, key and
# S3's upload id, which stands before the last dot of the one that the device has.
waits() {
    local origin=${staging%%/*} digest
    digest=$(printf '%s\0%s\0%s' "${bucket}" "${folder}/$1" "${upload%.*}" | openssl dgst -sha256 -binary | base64_of |
        tr '+/' '-_' | tr -d '=')
    origin GET "${staging#*/}${digest}/$2"
    [[ ${origin_status} == 200 ]] && cmp -s "${work}/origin-body" "$3"
}

# put_part KEY NUMBER FILE: adds its ETag to etags.
put_part() {
    device PUT "${folder}/$1" "${folder}/$1" "?partNumber=$2&uploadId=${upload}" --upload-file "$3"
    saw="part $2 was refused"
    answered 200 && etags+=("$(header etag)")
}

small_parts_wait() {
    initiate staged || return 1
    stored+=("${folder}/staged")
    etags=()
    local part
    for part in 1 2; do
        put_part staged "${part}" "${work}/small-${part}" || return 1
        saw="part ${part} does not wait in s3://${staging}"
        waits staged "0000${part}" "${work}/small-${part}" || return 1
    done
}

small_parts_are_joined() {
    complete_of staged
    cat "${work}/small-1" "${work}/small-2" >"${work}/whole"
    answered 200 && is_stored "${folder}/staged" "${work}/whole" || return 1
    local part
    for part in 1 2; do
        waits staged "0000${part}" "${work}/small-${part}" || true
        saw="part ${part} is still in s3://${staging}"
        [[ ${origin_status} == 40[34] ]] || return 1
    done
}

# The upload is gone; both answers have to be S3's own.
errors_are_fresh() {
    local first
    device GET "${folder}/aborted" "${folder}/aborted" "?uploadId=${upload}"
    first=$(header x-oss-request-id)
    answered 404 NoSuchUpload || return 1
    device GET "${folder}/aborted" "${folder}/aborted" "?uploadId=${upload}"
    saw="the second request got the first one's answer"
    answered 404 NoSuchUpload && [[ $(header x-oss-request-id) != "${first}" && -z $(header age) ]]
}

plain_http_stays() {
    local https=${url}
    url="http://${url#*://}"
    send PUT "$(target "${folder}/never")" --header "Content-Type:" --upload-file "${work}/small"
    url=${https}
    saw="plain http was answered with a redirect, or not at all"
    [[ ${status} == 4* ]]
}

nobody_reads() {
    local base="https://${origin}.s3.${region}.amazonaws.com"
    [[ -z ${origin_endpoint} ]] || base="${origin_endpoint}/${origin}"
    status=$(curl --silent --max-time 60 --output "${work}/body" --write-out '%{http_code}' "${base}/${mount}${folder}/small") ||
        status="no answer"
    code=$(sed -n 's:.*<Code>\(.*\)</Code>.*:\1:p' "${work}/body" | head -n 1)
    answered 403 AccessDenied
}

ranges_and_conditions_are_kept() {
    local etag
    device GET "${folder}/small" "${folder}/small" "" --header "Range: bytes=10-19"
    etag=$(header etag)
    saw="a range is not answered with that part of the object"
    answered 206 && cmp -s <(head -c 20 "${work}/small" | tail -c 10) "${work}/body" || return 1
    device GET "${folder}/small" "${folder}/small" "" --header "If-None-Match: ${etag}"
    saw="an object that has not changed is read again"
    answered 304
}

overrides_are_told() {
    device GET "${folder}/small" "${folder}/small" "?response-content-type=text/x-verify"
    saw="Content-Type is '$(header content-type)'"
    answered 200 && [[ $(header content-type) == text/x-verify ]]
}

missing_is_told() {
    device GET "${folder}/missing" "${folder}/missing" ""
    answered 404 NoSuchKey
}

list_is_told() {
    device GET "?prefix=${folder}/sm" "" ""
    saw="the list does not name the object"
    answered 200 && grep -q "<Key>${folder}/small</Key>" "${work}/body"
}

copy_is_stored() {
    x_oss="x-oss-copy-source:/${bucket}/${folder}/small"
    stored+=("${folder}/copy")
    device PUT "${folder}/copy" "${folder}/copy" "" --header "Content-Length: 0"
    answered 200 && is_stored "${folder}/copy" "${work}/small"
}

copy_is_deleted() {
    device DELETE "${folder}/copy" "${folder}/copy" ""
    answered 204 || return 1
    saw="the bucket still has it"
    origin GET "${mount}${folder}/copy"
    [[ ${origin_status} == 404 ]]
}

head -c 1000 /dev/urandom >"${work}/small"
head -c 500000 /dev/urandom >"${work}/medium"
head -c 8000000 /dev/urandom >"${work}/large"
head -c 5242880 /dev/urandom >"${work}/part-1"
head -c 100 /dev/urandom >"${work}/part-2"
head -c 1048576 /dev/urandom >"${work}/small-1"
head -c 1048576 /dev/urandom >"${work}/small-2"

prove viewer-request-runs signature_is_refused
prove generated-answers answer_is_whole
prove viewer-sees-length chunked_is_refused
prove oac-signs-last small_is_stored
prove oac-unsigned-payload plain_body_is_stored
prove bodies-stream large_is_stored
prove headers-reach-s3 headers_are_stored
prove tags-reach-s3 tags_are_taken
prove digest-reaches-s3 wrong_digest_is_refused
prove if-none-match-on-put second_create_is_refused
prove origin-response-request error_is_translated
prove raw-uri awkward_keys_are_stored
prove raw-query presigned_put_is_stored
prove forged-headers forged_headers_do_nothing
prove oac-off-after-swap upload_begins
prove function-url-headers document_is_translated
prove parts-reach-s3 parts_are_stored
prove staged-part-goes small_part_is_replaced
prove authorization-on-get parts_are_listed
prove body-in-event long_list_reaches_s3
prove body-cut-is-told longer_list_is_refused
prove complete complete
prove complete-again complete
prove abort abort
prove errors-not-cached errors_are_fresh
prove small-parts-wait small_parts_wait
prove small-parts-are-joined small_parts_are_joined
prove no-redirect plain_http_stays
prove bucket-is-private nobody_reads
if [[ ${reads} == yes ]]; then
    prove conditions-on-get ranges_and_conditions_are_kept
    prove overrides-reach-s3 overrides_are_told
    prove missing-is-told missing_is_told
    prove list list_is_told
fi
if [[ ${changes} == yes ]]; then
    prove copy copy_is_stored
    prove delete copy_is_deleted
fi

if [[ ${keep} == no ]]; then
    for name in "${stored[@]}"; do
        origin DELETE "${mount}${name}"
    done
fi
printf '\n%d passed, %d failed\n' "${passed}" "${failed}"
[[ ${failed} -eq 0 ]]
