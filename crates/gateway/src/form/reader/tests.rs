use super::*;

fn reader() -> FormReader {
    let boundary = Boundary::of_content_type(b"multipart/form-data; boundary=abc").unwrap();
    FormReader::new(boundary, None)
}

/// Reads a form in pieces of this length.
fn opened(form: &[u8], piece: usize) -> Result<Opened, Refusal> {
    let mut reader = reader();
    let mut pieces = form.chunks(piece);
    while let Some(bytes) = pieces.next() {
        if let Some(mut opened) = reader.push(bytes)? {
            opened.begun.extend(pieces.flatten());
            return Ok(opened);
        }
    }
    Err(reader.ended())
}

fn part(name: &str, value: &str) -> String {
    format!("--abc\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

const FILE: &str = "--abc\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\n";

fn fault(form: &str) -> Fault {
    let faults: Vec<Fault> = [1, 7, 100_000]
        .map(|piece| opened(form.as_bytes(), piece).unwrap_err().fault())
        .to_vec();
    assert!(faults.iter().all(|fault| *fault == faults[0]), "{faults:?}");
    faults[0]
}

#[test]
fn fields_are_read_in_pieces_of_any_length() {
    let form = [
        &part("key", "u/k"),
        &part("empty", ""),
        &part("lines", "a\r\n--ab\r\n\r\nb"),
        FILE,
        "content\r\n--abc--\r\n",
    ]
    .concat();
    for piece in 1..=form.len() {
        let opened = opened(form.as_bytes(), piece).unwrap();
        assert_eq!(opened.fields.get("key"), Some(b"u/k".as_slice()));
        assert_eq!(opened.fields.get("empty"), Some(b"".as_slice()));
        assert_eq!(opened.fields.get("lines"), Some(b"a\r\n--ab\r\n\r\nb".as_slice()));
        assert_eq!(opened.fields.iter().count(), 3);
        assert_eq!(opened.file_name, b"a.txt");
        assert_eq!(opened.begun, b"content\r\n--abc--\r\n");
        assert_eq!(opened.shape.file(&opened.begun).unwrap(), b"content");
    }
}

#[test]
fn the_file_s_length_is_the_form_s_without_what_stands_around_it() {
    let before = [&part("key", "u/k"), FILE].concat();
    let file = 6 * 1024 * 1024;
    let closing = "\r\n--abc--\r\n".len() as u64;
    let boundary = Boundary::of_content_type(b"multipart/form-data; boundary=abc").unwrap();
    let mut reader = FormReader::new(boundary, Some(before.len() as u64 + file + closing));
    let opened = reader
        .push([&before, "begun"].concat().as_bytes())
        .unwrap()
        .unwrap();
    assert_eq!(
        (opened.shape.streamed_bytes(), opened.begun.as_slice()),
        (Some(file), b"begun".as_slice())
    );
}

#[test]
fn clients_spell_a_part_s_headers_as_they_like() {
    for (head, name) in [
        ("content-disposition: FORM-DATA; name=file; filename=b", "b"),
        (
            "Content-Type: a/b\r\nContent-Disposition: form-data; name=\"File\"; filename=\"\"",
            "",
        ),
        ("Content-Disposition: form-data; name=\"file\"", ""),
        (
            "Content-Disposition:form-data;name=\"file\";filename=\"\u{e4}.txt\";filename*=utf-8''%C3%A4.txt",
            "\u{e4}.txt",
        ),
        (
            "Content-Disposition: form-data; name=\"file\"; filename=\"b\"\r\nContent-Transfer-Encoding: binary",
            "b",
        ),
    ] {
        let form = format!("--abc\r\n{head}\r\n\r\n");
        assert_eq!(
            opened(form.as_bytes(), 5).unwrap().file_name,
            name.as_bytes(),
            "{head}"
        );
    }
}

#[test]
fn what_is_no_form_is_refused() {
    for form in [
        "--abd\r\n",
        "preamble\r\n--abc\r\n",
        "\r\n--abc\r\n",
        "--abcd\r\n",
        "--abc \r\n",
        "--abc\r\nContent-Disposition: form-data\r\n\r\nv\r\n--abc--\r\n",
        "--abc\r\nContent-Disposition: form-data; name=\"\"\r\n\r\nv\r\n--abc--\r\n",
        "--abc\r\nContent-Disposition: form-data; name=\"a\"; name=\"b\"\r\n\r\nv\r\n--abc--\r\n",
        "--abc\r\nContent-Disposition: form-data; name=\"a\r\n\r\nv\r\n--abc--\r\n",
        "--abc\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nv\r\n--abc--\r\n",
        "--abc\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\nv",
        "--abc\r\nContent-Disposition: form-data;\r\n name=\"a\"\r\n\r\nv\r\n--abc--\r\n",
        "--abc\r\nContent-Disposition : form-data; name=\"a\"\r\n\r\nv\r\n--abc--\r\n",
        "--abc\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64\r\n\r\nv\r\n",
        "--abc\r\n\r\nv\r\n--abc--\r\n",
        "--abc\r\nno header\r\n\r\nv\r\n--abc--\r\n",
        "--abc\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nv",
        "--abc",
    ] {
        assert_eq!(fault(form), Fault::FormMalformed, "{form:?}");
    }
    let not_utf8 = b"--abc\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\n";
    assert_eq!(opened(not_utf8, 9).unwrap_err().fault(), Fault::FormMalformed);
}

#[test]
fn a_form_without_a_file_is_refused_as_such() {
    for form in [
        [&part("key", "u/k"), "--abc--\r\n"].concat(),
        "--abc--\r\n".to_owned(),
        String::new(),
    ] {
        let fault = match form.as_str() {
            "" => reader().ended().fault(),
            form => fault(form),
        };
        assert_eq!(fault, Fault::FormWithoutFile, "{form:?}");
    }
}

#[test]
fn g07_a_field_that_stands_twice_is_refused() {
    let form = [&part("key", "u/k"), &part("Key", "v/k"), FILE].concat();
    assert_eq!(fault(&form), Fault::FieldRepeated);
}

#[test]
fn n10_what_stands_before_the_file_is_bounded_in_every_direction() {
    let long = part("a", &"v".repeat(MAX_BYTES_BEFORE_FILE));
    assert_eq!(fault(&long), Fault::FormTooLong);
    assert_eq!(fault(&[&long, FILE].concat()), Fault::FormTooLong);
    let many: String = (0..=MAX_FIELDS)
        .map(|number| part(&number.to_string(), ""))
        .collect();
    assert_eq!(fault(&[&many, FILE].concat()), Fault::FormTooLong);
    let head = "a: b\r\n".repeat(MAX_PART_HEAD_BYTES);
    assert_eq!(fault(&format!("--abc\r\n{head}")), Fault::FormMalformed);
    let value = part("a", &"v".repeat(MAX_BYTES_BEFORE_FILE - 400));
    assert!(opened([&value, FILE, "x"].concat().as_bytes(), 1).is_ok());
}
