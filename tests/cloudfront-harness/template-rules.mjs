// The functions that only a template's Rules section may use.

/** The truth of a rule function over evaluated arguments; undefined for one that is not known. */
export function holds(name, argument) {
  switch (name) {
    case "Fn::Contains":
      return list(argument[0]).includes(String(argument[1]));
    case "Fn::EachMemberEquals":
      return list(argument[0]).every((item) => item === String(argument[1]));
    case "Fn::EachMemberIn":
      return list(argument[0]).every((item) => list(argument[1]).includes(item));
    default:
      return undefined;
  }
}

function list(value) {
  return [value].flat().map(String);
}
