"""Attack cases F, H and X on the one document that a device writes: the part list of a CompleteMultipartUpload."""

import pytest

ETAG = '"0123456789abcdef0123456789abcdef"'


def part(number, etag=ETAG):
    return f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"


def document(*parts):
    return f"<CompleteMultipartUpload>{''.join(parts)}</CompleteMultipartUpload>"


ATTRIBUTES = " ".join(f"a{n}='1'" for n in range(20_000))
NAMESPACES = " ".join(f"xmlns:a{n}='u'" for n in range(20_000))
EXTERNAL = '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>'

BAD_DOCUMENTS = {
    "nothing": ("", "MalformedXML"),
    "blanks": (" \n ", "MalformedXML"),
    "no parts": (document(), "MalformedXML"),
    "another root": ("<Delete><Object><Key>a</Key></Object></Delete>", "MalformedXML"),
    "no XML": ("PartNumber=1", "MalformedXML"),
    "cut short": (document(part(1))[:-5], "MalformedXML"),
    "two roots": (document(part(1)) * 2, "MalformedXML"),
    "a DTD": ('<!DOCTYPE a [<!ENTITY e "1">]>' + document(part("&e;")), "MalformedXML"),
    "an unknown entity": (document(part("&e;")), "MalformedXML"),
    "an external entity": (EXTERNAL + document(part(1, "&e;")), "MalformedXML"),
    "no ETag": (document("<Part><PartNumber>1</PartNumber></Part>"), None),
    "no number": (document(f"<Part><ETag>{ETAG}</ETag></Part>"), None),
    "number 0": (document(part(0)), None),
    "number 10001": (document(part(10_001)), None),
    "a negative number": (document(part(-1)), None),
    "a number that overflows": (document(part(2**64 + 1)), None),
    "an ETag with a line break": (document(part(1, "a\r\nx-amz-acl: b")), None),
    "descending numbers": (document(part(2), part(1)), "InvalidPartOrder"),
    "a number twice": (document(part(1), part(1)), "InvalidPartOrder"),
    "10,001 parts": (document(*(part(1 + n % 10_000) for n in range(10_001))), None),
    "not UTF-8": (b"<CompleteMultipartUpload><Part>\xff\xfe</Part></CompleteMultipartUpload>", "MalformedXML"),
    "UTF-16": (document(part(1)).encode("utf-16"), "MalformedXML"),
    "deep nesting": ("<a>" * 50_000, "MalformedXML"),
    "many attributes": (f"<CompleteMultipartUpload {ATTRIBUTES}/>", "MalformedXML"),
    "many namespaces": (f"<CompleteMultipartUpload {NAMESPACES}/>", "MalformedXML"),
    "three megabytes": (document(part(1)) + " " * (3 << 20), None),
}


@pytest.mark.parametrize(("body", "code"), BAD_DOCUMENTS.values(), ids=BAD_DOCUMENTS)
def test_X03_a_part_list_that_is_none_is_refused_before_the_origin(wire, proxy, body, code):
    content = body if isinstance(body, bytes) else body.encode()
    upload_id = wire.initiate("documents")
    with proxy.watching() as seen:
        answer = wire.signed("POST", "documents", f"uploadId={upload_id}", body=content).check()
    assert not seen
    assert answer.code != "NoSuchUpload", answer
    assert 400 <= answer.status < 500, answer
    assert code is None or answer.code == code, answer


def test_X01_a_part_list_is_written_anew_for_the_origin(wire, proxy):
    upload_id = wire.initiate("documents/anew")
    etag = wire.signed("PUT", "documents/anew", f"partNumber=1&uploadId={upload_id}", body=b"x").header("etag")
    strange = (
        '<?xml version="1.0"?><!-- a comment --><CompleteMultipartUpload xmlns="http://doc.oss-cn-hangzhou.aliyuncs.com">\n'
        f"<Part><ETag>{etag.strip(chr(34))}</ETag><PartNumber>1</PartNumber><Extra>&amp;</Extra></Part>\n"
        "</CompleteMultipartUpload>"
    )
    with proxy.watching() as seen:
        answer = wire.signed("POST", "documents/anew", f"uploadId={upload_id}", body=strange.encode()).check()
    assert answer.status == 200, answer
    [sent] = [request.body.decode() for request in seen if request.method == "POST" and "uploadId=" in request.query]
    assert "comment" not in sent and "Extra" not in sent and "aliyuncs" not in sent
    assert sent.count("<PartNumber>1</PartNumber>") == 1


def test_X01_markup_in_an_etag_stays_text_at_the_origin(wire, proxy):
    hostile = document(part(1, "&lt;/ETag&gt;&lt;/Part&gt;&lt;Part&gt;"))
    upload_id = wire.initiate("documents/etag")
    with proxy.watching() as seen:
        answer = wire.signed("POST", "documents/etag", f"uploadId={upload_id}", body=hostile.encode()).check()
    assert answer.status in (400, 404), answer
    assert all(request.body.count(b"<Part>") == 1 for request in seen if request.method == "POST")


def test_X01_a_key_full_of_markup_survives_in_the_answers(wire):
    key = 'documents/<Key xmlns="u">]]>&amp;<![CDATA[x]]>🚀\''
    answer = wire.signed("POST", key, "uploads")
    assert answer.status == 200, answer
    assert answer.element("Key") == key
    upload_id = answer.element("UploadId")
    etag = wire.signed("PUT", key, f"partNumber=1&uploadId={upload_id}", body=b"x").header("etag")
    done = wire.signed("POST", key, f"uploadId={upload_id}", body=document(part(1, etag)).encode())
    assert done.status == 200, done
    assert done.element("Key") == key
    assert done.element("ETag") == done.header("etag")
    assert done.element("Bucket") == wire.bucket
    assert done.element("Location")
