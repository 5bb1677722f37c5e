//! What a person copies to point a device at the gateway.

use super::endpoints::Endpoints;

/// Prints where everything is, and a few lines for each of two SDKs.
pub(crate) fn print_snippets(endpoints: &Endpoints) {
    let Endpoints { edge, origin, device } = endpoints;
    let (id, secret, bucket) = (&device.access_key_id, &device.access_key_secret, &device.bucket);
    let names = [&device.cname_host, &device.virtual_host].map(|host| host.split(':').next().unwrap_or(host));
    println!(
        r#"
The gateway listens at {url} and stores into the bucket {origin_bucket} at {origin_url}.

Python, with oss2 (pip install oss2):

    import oss2
    bucket = oss2.Bucket(oss2.Auth("{id}", "{secret}"), "{url}", "{bucket}")
    print(bucket.put_object("hello.txt", b"Hello from oss2").status)

Node.js, with ali-oss (npm install ali-oss):

    const OSS = require("ali-oss");
    const client = new OSS({{ endpoint: "{named_url}", sldEnable: true, bucket: "{bucket}",
      accessKeyId: "{id}", accessKeySecret: "{secret}" }});
    client.put("hello.txt", Buffer.from("Hello from ali-oss")).then(({{ res }}) => console.log(res.status));

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
        // ali-oss sends a Host of its own making when the endpoint is an IP address.
        named_url = edge.url.replace("127.0.0.1", "localhost"),
        origin_bucket = origin.bucket,
        origin_url = origin.url,
        hosts = names.join(" "),
        cname = device.cname_host,
    );
}
