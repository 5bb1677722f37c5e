//! XML, both ways and bounded.
//!
//! Written documents start with a declaration, because OSS's SDK for PHP fails without one, and have no
//! namespace, because OSS's SDKs fail on one, but for S3's results. Empty elements are
//! left out, but for those that SDKs look for in lists: one SDK crashes on them in errors.
//!
//! Reading knows elements and their text, nothing else: attributes and namespace declarations are
//! skipped without being parsed, a document type or an entity beyond the five predefined ones is an
//! error, and depth is bounded. The caller bounds the length before it reads a body. XML that
//! arrived is never passed on; it is read into values, and documents are written from values.

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::Event;
use request_auth::Dialect;

/// Behind the name of a root element: the namespace of S3's results.
const S3_NAMESPACE: &str = " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";

/// The deepest nesting that is read; the deepest document of either dialect here has three levels.
const MAX_DEPTH: usize = 8;

/// A document being written.
pub(crate) struct Document {
    text: String,
    root: &'static str,
}

impl Document {
    /// Starts a document with its declaration and root element.
    pub(crate) fn new(root: &'static str) -> Self {
        let text = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<", root, ">"].concat();
        Self { text, root }
    }

    /// The same for a result of a client's request: S3's stand in a namespace, OSS's in none.
    pub(crate) fn of_result(root: &'static str, dialect: Dialect) -> Self {
        let mut document = Self::new(root);
        if dialect == Dialect::S3 {
            document.text.pop();
            document.text.push_str(S3_NAMESPACE);
        }
        document
    }

    /// Adds an element with text. Empty text adds nothing; characters that XML 1.0 can't hold are
    /// dropped.
    pub(crate) fn leaf(&mut self, name: &str, text: &str) {
        if !text.chars().any(is_xml_char) {
            return;
        }
        self.element(name, text);
    }

    /// Adds an element with text, also where that is empty: for lists, whose readers take that.
    pub(crate) fn element(&mut self, name: &str, text: &str) {
        self.open(name);
        self.text(text);
        self.close(name);
    }

    /// Adds text to the element that is open, without the characters that XML 1.0 can't hold.
    pub(crate) fn text(&mut self, text: &str) {
        for c in text.chars().filter(|&c| is_xml_char(c)) {
            match c {
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '&' => self.text.push_str("&amp;"),
                // A reader would take it for a line feed.
                '\r' => self.text.push_str("&#13;"),
                c => self.text.push(c),
            }
        }
    }

    /// Opens a nested element.
    pub(crate) fn open(&mut self, name: &str) {
        self.text.push('<');
        self.text.push_str(name);
        self.text.push('>');
    }

    /// Closes the element opened last.
    pub(crate) fn close(&mut self, name: &str) {
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }

    /// Ends the document.
    pub(crate) fn finish(mut self) -> String {
        self.close(self.root);
        self.text
    }
}

/// Whether XML 1.0 allows the character in a document, escaped or not.
pub(crate) fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// The document is not read: not UTF-8, not well-formed, too deep, or with a document type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Unreadable;

/// An element that ended.
pub(crate) struct Element<'r> {
    /// Local names from the root to this element.
    pub(crate) path: &'r [String],
    /// Its text, references resolved; empty for an element that has child elements.
    pub(crate) text: &'r str,
}

impl Element<'_> {
    /// Whether this element stands at exactly this path.
    pub(crate) fn is(&self, path: &[&str]) -> bool {
        self.path.iter().map(String::as_str).eq(path.iter().copied())
    }
}

/// Reads a document and shows every element as it ends, children before their parent.
///
/// White space may stand before the declaration: S3 sends some while it works.
///
/// # Errors
/// [`Unreadable`], or the first error of `visit`. Elements may have been shown before.
pub(crate) fn read<E: From<Unreadable>>(
    document: &[u8],
    visit: &mut dyn FnMut(Element<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut outcome = Ok(());
    let walked = walk(document, &mut |element| {
        outcome = visit(element);
        outcome.is_ok()
    });
    outcome?;
    Ok(walked?)
}

/// [`read`], compiled once: `visit` says whether to go on.
fn walk(document: &[u8], visit: &mut dyn FnMut(Element<'_>) -> bool) -> Result<(), Unreadable> {
    let text = core::str::from_utf8(document).map_err(|_| Unreadable)?;
    let mut reader = Reader::from_str(text.trim_ascii_start());
    reader.config_mut().expand_empty_elements = true;
    let mut path: Vec<String> = Vec::new();
    let mut content = String::new();
    let mut has_children = false;
    let mut has_root = false;
    loop {
        match reader.read_event().map_err(|_| Unreadable)? {
            Event::Start(start) => {
                let misplaced = path.is_empty() && has_root;
                if misplaced || path.len() >= MAX_DEPTH || !is_blank(&content) {
                    return Err(Unreadable);
                }
                path.push(start.local_name().into_inner().to_owned());
                content.clear();
                (has_children, has_root) = (false, true);
            }
            Event::End(_) => {
                if has_children && !is_blank(&content) {
                    return Err(Unreadable);
                }
                let text = if has_children { "" } else { content.as_str() };
                if !visit(Element { path: &path, text }) {
                    return Ok(());
                }
                path.pop();
                content.clear();
                has_children = true;
            }
            Event::Text(piece) => content.push_str(&piece.xml10_content()),
            Event::CData(piece) => content.push_str(&piece.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().map_err(|_| Unreadable)? {
                Some(c) if is_xml_char(c) => content.push(c),
                Some(_) => return Err(Unreadable),
                None => content.push_str(resolve_xml_entity(&reference).ok_or(Unreadable)?),
            },
            Event::Comment(_) | Event::Decl(_) => {}
            Event::DocType(_) | Event::PI(_) | Event::Empty(_) => return Err(Unreadable),
            Event::Eof => break,
        }
        if path.is_empty() {
            if !is_blank(&content) {
                return Err(Unreadable);
            }
            // Blanks were looked at once; a second look at each comment would take for ever.
            content.clear();
        }
    }
    if path.is_empty() && has_root {
        Ok(())
    } else {
        Err(Unreadable)
    }
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(document: &str) -> Result<Vec<(String, String)>, Unreadable> {
        let mut seen = Vec::new();
        read::<Unreadable>(document.as_bytes(), &mut |element| {
            seen.push((element.path.join("/"), element.text.to_owned()));
            Ok(())
        })?;
        Ok(seen)
    }

    fn pair(path: &str, text: &str) -> (String, String) {
        (path.to_owned(), text.to_owned())
    }

    #[test]
    fn elements_are_shown_as_they_end_with_their_text() {
        let document = "\n\n <?xml version=\"1.0\"?>\n<a xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n <b>1</b><s3:c>x</s3:c><d/>\n</a>\n";
        assert_eq!(
            leaves(document).unwrap(),
            [pair("a/b", "1"), pair("a/c", "x"), pair("a/d", ""), pair("a", "")]
        );
    }

    #[test]
    fn x01_text_survives_references_cdata_and_whatever_looks_like_markup() {
        for (xml, text) in [
            ("&#34;e&#x22;&quot;", "\"e\"\""),
            ("<![CDATA[xmlns=\"x\" <k> ]]>&amp;amp;", "xmlns=\"x\" <k> &amp;"),
            ("a]]&gt;b", "a]]>b"),
            ("\u{1f600}&lt;&gt;&apos;&#x1F600;", "\u{1f600}<>'\u{1f600}"),
            (" two  words ", " two  words "),
            ("a<!-- c -->b", "ab"),
        ] {
            assert_eq!(
                leaves(&format!("<k>{xml}</k>")).unwrap(),
                [pair("k", text)],
                "{xml}"
            );
        }
    }

    #[test]
    fn what_is_no_plain_well_formed_document_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(9), "</a>".repeat(9));
        for document in [
            "",
            " ",
            "text",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><b/>",
            "<a/>text",
            "text<a/>",
            "<a>&x;</a>",
            "<a>&#0;</a>",
            "<a>&#1;</a>",
            "<a>&#xD800;</a>",
            "<a>&amp</a>",
            "<!DOCTYPE a><a/>",
            "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
            "<a><?pi x?></a>",
            "<a>t<b/></a>",
            "<a><b/>t</a>",
            "<a",
            "<a b=\"",
            "<a><![CDATA[x</a>",
            "<!--",
            &deep,
        ] {
            assert_eq!(leaves(document).err(), Some(Unreadable), "{document}");
        }
        assert_eq!(
            read::<Unreadable>(b"<a>\xff</a>", &mut |_| Ok(())),
            Err(Unreadable)
        );
    }

    #[test]
    fn x03_a_million_attributes_or_namespaces_are_skipped_without_being_parsed() {
        let mut document = String::from("<a");
        for n in 0..200_000 {
            document.push_str(&format!(" xmlns:n{n}=\"u{n}\""));
        }
        document.push_str("><b>1</b></a>");
        assert_eq!(leaves(&document).unwrap(), [pair("a/b", "1"), pair("a", "")]);
    }

    #[test]
    fn x03_blanks_and_comments_around_the_root_are_looked_at_once() {
        let padding = [" ".repeat(512 * 1024), "<!---->".repeat(75_000)].concat();
        for document in [
            ["<?xml version=\"1.0\"?>", &padding, "<a><b>1</b></a>"].concat(),
            ["<a><b>1</b></a>", &padding].concat(),
        ] {
            assert_eq!(leaves(&document).unwrap(), [pair("a/b", "1"), pair("a", "")]);
        }
        let behind = ["<a/>", &padding, "text"].concat();
        assert_eq!(leaves(&behind), Err(Unreadable));
        // Inside of an element, it is its end that looks.
        let inside = ["<a><b/>", &padding, "</a>"].concat();
        assert_eq!(leaves(&inside).unwrap().len(), 2);
    }

    #[test]
    fn unfinished_markup_is_never_a_panic() {
        for markup in [
            "<",
            "<!",
            "<!>",
            "<!-",
            "<!--",
            "<!-->",
            "<!--->",
            "<!---->",
            "<![",
            "<![CDATA[",
            "<![CDATA[]>",
            "<![CDATA[]]",
            "<?",
            "<?>",
            "<??>",
            "<?xml",
            "<?xml?>",
            "</",
            "</>",
            "<>",
            "</ a>",
            "< a/>",
            "<a ",
            "<a/",
            "<!DOCTYPE",
            "<!DOCTYPE>",
            "<!DOCTYPE [",
            "&",
            "&;",
            "&#;",
            "&#x;",
            "&#x110000;",
            "\u{feff}",
            "]]>",
        ] {
            for document in [
                markup.to_owned(),
                ["<a>", markup].concat(),
                ["<a>", markup, "</a>"].concat(),
            ] {
                let _ = leaves(&document);
            }
        }
    }

    #[test]
    fn no_damage_to_a_document_makes_the_reader_panic() {
        let document = b"<?xml version=\"1.0\"?><!-- c --><a b=\"c\"><d>&#34;</d><![CDATA[e]]></a>";
        let mut seed = 1_u32;
        for _ in 0..20_000 {
            let mut damaged = document.to_vec();
            for _ in 0..3 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (seed >> 8) as usize % damaged.len();
                match seed % 4 {
                    0 => damaged[at] = (seed >> 16) as u8,
                    1 => damaged.truncate(at.max(1)),
                    2 => damaged[at] = b"<>!?&;-[]/"[(seed >> 16) as usize % 10],
                    _ => damaged.insert(at, b"<>!?&;-[]/"[(seed >> 16) as usize % 10]),
                }
            }
            let _ = read::<Unreadable>(&damaged, &mut |_| Ok(()));
        }
    }

    #[test]
    fn written_documents_are_read_back_as_what_was_written() {
        for text in [
            "\"e\"",
            "<&>'\"]]>",
            "xmlns=\"x\"",
            "\u{1f600} \u{4e2d}",
            "a\nb",
            "a\rb",
        ] {
            let mut document = Document::new("Root");
            document.leaf("Leaf", text);
            assert_eq!(
                leaves(&document.finish()).unwrap(),
                [pair("Root/Leaf", text), pair("Root", "")],
                "{text}"
            );
        }
    }

    #[test]
    fn empty_elements_are_left_out_and_control_characters_dropped() {
        let mut document = Document::new("Error");
        document.leaf("Code", "");
        document.leaf("Message", "\u{0}\u{1}");
        document.leaf("Kept", "a\u{8}b\u{fffe}c\nd");
        assert_eq!(
            document.finish(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Kept>abc\nd</Kept></Error>"
        );
    }
}
