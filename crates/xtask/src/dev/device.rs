//! What a person copies to point a client at the gateway: lines that do what the key's preset allows.

use super::endpoints::Endpoints;
use super::preset::Preset;

/// The object that lies in the bucket for keys that read.
pub(crate) const WELCOME: &str = "welcome.txt";
/// What it holds.
pub(crate) const WELCOME_TEXT: &str = "Stored past the gateway.\n";

/// Where S3 clients can upload.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum S3Clients {
    /// Here, with their default settings.
    Served,
    /// Not where CloudFront's origin access control signs object bytes.
    NeedRouter,
}

/// Prints where everything is, and a few lines for each of four clients.
pub(crate) fn print_snippets(endpoints: &Endpoints, preset: Preset, s3_clients: S3Clients) {
    println!("{}", snippets(endpoints, preset, s3_clients));
}

fn snippets(endpoints: &Endpoints, preset: Preset, s3_clients: S3Clients) -> String {
    let Endpoints { edge, origin, device } = endpoints;
    let (id, secret, bucket) = (&device.access_key_id, &device.access_key_secret, &device.bucket);
    let names = [&device.cname_host, &device.virtual_host].map(|host| host.split(':').next().unwrap_or(host));
    // ali-oss sends a Host of its own making when the endpoint is an IP address.
    let named_url = edge.url.replace("127.0.0.1", "localhost");
    let clients = [
        oss2(&edge.url, id, secret, bucket, preset),
        ali_oss(&named_url, id, secret, bucket, preset),
        match s3_clients {
            S3Clients::Served => s3(&edge.url, id, secret, bucket, preset),
            S3Clients::NeedRouter => {
                "S3 clients need a CloudFront that signs the bodies that they sign: start with --preset."
                    .to_owned()
            }
        },
    ];
    format!(
        r#"
The gateway listens at {url} and stores into the bucket {origin_bucket} at {origin_url}.
The key {id} has the preset {preset} on the bucket {bucket}.

{clients}

Over TLS the gateway listens at {tls_url}. Its certificate is of this run alone; SDKs trust it with

    export CA={ca_file}
    export REQUESTS_CA_BUNDLE=$CA NODE_EXTRA_CA_CERTS=$CA AWS_CA_BUNDLE=$CA

Under a name of its own (CNAME), with this line in /etc/hosts:

    127.0.0.1 {hosts}

    oss2:     oss2.Bucket(oss2.Auth("{id}", "{secret}"), "http://{cname}", "{bucket}", is_cname=True)
    ali-oss:  new OSS({{ endpoint: "http://{cname}", cname: true, bucket: "{bucket}",
                accessKeyId: "{id}", accessKeySecret: "{secret}" }})

Requests appear below; Ctrl-C stops everything and throws the data away.
"#,
        url = edge.url,
        tls_url = edge.tls_url,
        ca_file = edge.ca_file.display(),
        preset = preset.name(),
        origin_bucket = origin.bucket,
        origin_url = origin.url,
        clients = clients.join("\n\n"),
        hosts = names.join(" "),
        cname = device.cname_host,
    )
}

/// The lines of a snippet that the preset allows: those that upload, that read, that change or remove, and that are
/// about tags and the bucket.
fn allowed<'l>(preset: Preset, [uploads, reads, changes, rest]: [&'l [&'l str]; 4]) -> Vec<&'l str> {
    let changes = if matches!(preset, Preset::ReadWrite | Preset::DataLayer) {
        changes
    } else {
        &[]
    };
    let rest = if preset == Preset::DataLayer { rest } else { &[] };
    let uploads = if preset.uploads() { uploads } else { &[] };
    let reads = if preset.reads() { reads } else { &[] };
    [uploads, reads, changes, rest].concat()
}

fn indented<L: AsRef<str>>(title: &str, lines: &[L]) -> String {
    let mut text = format!("{title}\n");
    for line in lines {
        text.push_str("\n    ");
        text.push_str(line.as_ref());
    }
    text
}

fn oss2(url: &str, id: &str, secret: &str, bucket: &str, preset: Preset) -> String {
    let list = "print([one.key for one in oss2.ObjectIteratorV2(bucket)])";
    let mut lines = vec![
        "import oss2".to_owned(),
        format!(r#"bucket = oss2.Bucket(oss2.Auth("{id}", "{secret}"), "{url}", "{bucket}")"#),
    ];
    let calls: [&[&str]; 4] = [
        &[r#"print(bucket.put_object("hello.txt", b"Hello from oss2").status)"#],
        &[r#"print(bucket.get_object("welcome.txt").read())"#, list],
        &[
            r#"bucket.copy_object(bucket.bucket_name, "welcome.txt", "copy.txt")"#,
            r#"bucket.batch_delete_objects(["copy.txt"])"#,
        ],
        &[
            "print(bucket.get_bucket_info().location)",
            "print([one.name for one in oss2.Service(bucket.auth, bucket.endpoint).list_buckets().buckets])",
        ],
    ];
    lines.extend(allowed(preset, calls).into_iter().map(str::to_owned));
    indented("Python, with oss2 (pip install oss2):", &lines)
}

fn ali_oss(url: &str, id: &str, secret: &str, bucket: &str, preset: Preset) -> String {
    let mut lines = vec![
        r#"const OSS = require("ali-oss");"#.to_owned(),
        format!(r#"const client = new OSS({{ endpoint: "{url}", sldEnable: true, bucket: "{bucket}","#),
        format!(r#"  accessKeyId: "{id}", accessKeySecret: "{secret}" }});"#),
        "(async () => {".to_owned(),
    ];
    let calls: [&[&str]; 4] = [
        &[r#"  console.log((await client.put("hello.txt", Buffer.from("Hello from ali-oss"))).res.status);"#],
        &[
            r#"  console.log((await client.get("welcome.txt")).content.toString());"#,
            r#"  console.log((await client.listV2()).objects.map(({ name }) => name));"#,
        ],
        &[
            r#"  await client.copy("copy.txt", "welcome.txt");"#,
            r#"  await client.delete("copy.txt");"#,
        ],
        &[r#"  console.log((await client.getBucketInfo()).bucket.Location);"#],
    ];
    lines.extend(allowed(preset, calls).into_iter().map(str::to_owned));
    lines.push("})();".to_owned());
    indented("Node.js, with ali-oss (npm install ali-oss):", &lines)
}

fn s3(url: &str, id: &str, secret: &str, bucket: &str, preset: Preset) -> String {
    let mut lines = vec![
        "import boto3".to_owned(),
        format!(r#"s3 = boto3.client("s3", endpoint_url="{url}", region_name="eu-central-1","#),
        format!(r#"  aws_access_key_id="{id}", aws_secret_access_key="{secret}")"#),
        format!(r#"bucket = "{bucket}""#),
    ];
    let calls: [&[&str]; 4] = [
        &[r#"print(s3.put_object(Bucket=bucket, Key="hello.txt", Body=b"Hello from boto3")["ETag"])"#],
        &[
            r#"print(s3.get_object(Bucket=bucket, Key="welcome.txt")["Body"].read())"#,
            r#"print([one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", [])])"#,
        ],
        &[
            r#"s3.copy_object(Bucket=bucket, Key="copy.txt", CopySource={"Bucket": bucket, "Key": "welcome.txt"})"#,
            r#"s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "copy.txt"}]})"#,
        ],
        &[r#"print([one["Name"] for one in s3.list_buckets()["Buckets"]])"#],
    ];
    lines.extend(allowed(preset, calls).into_iter().map(str::to_owned));
    let python = indented("Python, with boto3 (pip install boto3):", &lines);

    let mut lines = vec![
        format!("export AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret}"),
        format!("export AWS_ENDPOINT_URL={url} AWS_DEFAULT_REGION=eu-central-1"),
    ];
    let object = |name: &str| format!("s3://{bucket}/{name}");
    let (hello, welcome, copy) = (object("hello.txt"), object(WELCOME), object("copy.txt"));
    let calls = [
        vec![format!("echo Hello from the AWS CLI | aws s3 cp - {hello}")],
        vec![format!("aws s3 cp {welcome} -"), format!("aws s3 ls {bucket}")],
        vec![format!("aws s3 cp {welcome} {copy}"), format!("aws s3 rm {copy}")],
        vec!["aws s3 ls".to_owned()],
    ];
    let calls = calls
        .each_ref()
        .map(|lines| lines.iter().map(String::as_str).collect::<Vec<_>>());
    let commands = allowed(preset, calls.each_ref().map(Vec::as_slice));
    lines.extend(commands.into_iter().map(str::to_owned));
    format!(
        "{python}\n\n{}",
        indented("The AWS CLI (pip install awscli):", &lines)
    )
}
