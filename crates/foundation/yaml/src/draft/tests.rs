use super::{Draft, Place};
use crate::Node;
use Place::{Item, Key};
use onepane_diagnostics::FileId;

fn edited(text: &str, edit: impl FnOnce(&mut Draft)) -> String {
    let mut draft = Draft::new(text, FileId::new("draft.yaml")).unwrap();
    edit(&mut draft);
    draft.text().to_owned()
}

fn image(name: &str, tag: &str) -> Node {
    let entry = |key: &str, value: &str| (Node::scalar(key), Node::string(value));
    Node::mapping(vec![entry("name", name), entry("newTag", tag)])
}

#[test]
fn a_scalar_keeps_its_quotes_and_its_comment() {
    let text = "# head\nimages:\n  - name: api   # the api\n    newTag: \"1.0\"  # pinned\n\n  - {name: web, newTag: '2.0'}\nx: 1\n";
    let tag = |index| [Key("images"), Item(index), Key("newTag")];
    assert_eq!(edited(text, |draft| draft.set(&tag(0), Node::string("1.1")).unwrap()), text.replace("1.0", "1.1"));
    assert_eq!(edited(text, |draft| draft.set(&tag(1), Node::string("v3")).unwrap()), text.replace("2.0", "v3"));
    // Plain, a version would become a number.
    let plain = "a:\n  b: v1 # c\n";
    assert_eq!(
        edited(plain, |draft| draft.set(&[Key("a"), Key("b")], Node::string("2")).unwrap()),
        "a:\n  b: \"2\" # c\n"
    );
    assert_eq!(edited(plain, |draft| draft.set(&[Key("a"), Key("b")], Node::scalar("2")).unwrap()), "a:\n  b: 2 # c\n");
}

#[test]
fn items_stand_where_the_others_stand() {
    let push = |text: &str, item: Node| edited(text, |draft| draft.push(&[Key("r")], item).unwrap());
    assert_eq!(push("r:\n- a # x\n\n# next\ns: 1\n", Node::string("b")), "r:\n- a # x\n- b\n\n# next\ns: 1\n");
    assert_eq!(push("r:\n  - a", image("n", "1")), "r:\n  - a\n  - name: n\n    newTag: \"1\"\n");
    assert_eq!(
        push("r: [a, b] # c\n", Node::string("d, e")),
        "r: [a, b, \"d, e\"] # c\n".replace("\"d, e\"", "'d, e'")
    );
    assert_eq!(push("r: []\n", image("n", "v")), "r: [{name: n, newTag: v}]\n");
    assert_eq!(push("r: [\n  a,\n  b\n]\n", Node::string("c")), "r: [\n  a,\n  b,\n  c\n]\n");
    assert_eq!(push("s: 1\n", Node::string("c")), "s: 1\nr:\n- c\n");
    assert_eq!(push("s:\n  - 1\n", Node::string("c")), "s:\n  - 1\nr:\n  - c\n");
    assert_eq!(push("s: 1\nr:\nt: 2\n", Node::string("c")), "s: 1\nr:\n- c\nt: 2\n");
    assert_eq!(push("# nothing yet\n", Node::string("c")), "# nothing yet\nr:\n- c\n");
    assert_eq!(push("r:\r\n- a\r\n", Node::string("c")), "r:\r\n- a\r\n- c\r\n");
    assert_eq!(push("r:\n- |\n  a\n\n  b\ns: 1\n", Node::string("c")), "r:\n- |\n  a\n\n  b\n- c\ns: 1\n");
    assert_eq!(push("r:\n- \u{4dc}", Node::string("c")), "r:\n- \u{4dc}\n- c\n");
    let spaced = "r:\n- k: |-\n    a\n\n    b\n\ns: 1   # c\n";
    assert_eq!(push(spaced, Node::string("c")), spaced.replace("b\n", "b\n- c\n"));
    let empty = "r:\n- k: >\ns: 1   # c\n";
    assert_eq!(push(empty, Node::string("c")), empty.replace(">\n", ">\n- c\n"));
    let first = edited("r:\n# about b\n- b\n", |draft| draft.insert(&[Key("r")], 0, Node::string("a")).unwrap());
    assert_eq!(first, "r:\n- a\n# about b\n- b\n");
    let multiline = push("r:\n- a\n", Node::string("x: 1\ny: 2\n"));
    assert_eq!(multiline, "r:\n- a\n- |\n  x: 1\n  y: 2\n");
}

#[test]
fn what_is_removed_takes_its_comments_along() {
    let text = "# license\n\n# all of it\nr:\n# about a\n- a\n- b # about b\n# about c\n- c: 1\n  d:\n    e: 2\n\ns: {x: 1, y: 2}\n";
    let remove = |path: &[Place<'_>]| edited(text, |draft| draft.remove(path).unwrap());
    assert_eq!(remove(&[Key("r"), Item(0)]), text.replace("# about a\n- a\n", ""));
    assert_eq!(remove(&[Key("r"), Item(1)]), text.replace("- b # about b\n", ""));
    assert_eq!(remove(&[Key("r"), Item(2), Key("c")]), text.replace("c: 1\n  ", ""));
    // The mapping that would be left empty goes too.
    assert_eq!(remove(&[Key("r"), Item(2), Key("d"), Key("e")]), text.replace("  d:\n    e: 2\n", ""));
    assert_eq!(remove(&[Key("s"), Key("x")]), text.replace("x: 1, ", ""));
    assert_eq!(remove(&[Key("s"), Key("y")]), text.replace(", y: 2", ""));
    assert_eq!(remove(&[Key("s")]), text.replace("s: {x: 1, y: 2}\n", ""));
    assert_eq!(remove(&[Key("absent")]), text);
    let blocks = "r:\n- |\n  a\n- b   # c\n";
    assert_eq!(edited(blocks, |draft| draft.remove(&[Key("r"), Item(0)]).unwrap()), "r:\n- b   # c\n");
    assert_eq!(edited("a: 1\n\n# b\nb: 2\n\nc: 3\n", |draft| draft.remove(&[Key("b")]).unwrap()), "a: 1\n\nc: 3\n");
}

#[test]
fn a_value_of_another_shape_takes_the_place() {
    let set = |text: &str, value: Node| edited(text, |draft| draft.set(&[Key("a"), Key("b")], value).unwrap());
    let list = || Node::sequence(vec![Node::string("x")]);
    assert_eq!(set("a:\n  b: 1 # one\n  c: 2\n", list()), "a:\n  b:\n  - x # one\n  c: 2\n");
    assert_eq!(set("a:\n  b:\n    d: 1\n  c: 2\n", Node::string("y")), "a:\n  b: y\n  c: 2\n");
    assert_eq!(edited("a: 1\nb:\n- x\n", |draft| draft.rename(&[Key("b")], "c").unwrap()), "a: 1\nc:\n- x\n");
}

#[test]
fn anchors_and_odd_layouts_are_written_anew_with_their_comments() {
    let text = "# c\na: &x\n  - 1\nb: *x\n";
    let pushed = edited(text, |draft| draft.push(&[Key("a")], Node::string("n")).unwrap());
    assert_eq!(pushed, "# c\na: &x\n- 1\n- n\nb: *x\n");
    let nested = edited("a:\n- - x\n  - y\n", |draft| draft.remove(&[Key("a"), Item(0), Item(0)]).unwrap());
    assert_eq!(nested, "a:\n- - y\n");
}
