// CloudFormation templates, evaluated as CloudFormation would for one stack.
//
// Only what the templates of this project need is understood. Anything else (an intrinsic function, a
// section, a parameter type) is an error and never ignored: a template that means more than this
// reader sees would be run kinder than AWS runs it. DependsOn, DeletionPolicy and the like say when
// things happen, and nothing happens here.

import { readFileSync } from "node:fs";
import { isAlias, isMap, isScalar, isSeq, parseDocument } from "yaml";

import { physical } from "./resources.mjs";
import { holds } from "./template-rules.mjs";

const SECTIONS = new Set([
  "AWSTemplateFormatVersion",
  "Description",
  "Metadata",
  "Parameters",
  "Rules",
  "Mappings",
  "Conditions",
  "Resources",
  "Outputs",
]);
const RESOURCE_ATTRIBUTES = new Set([
  "Type",
  "Properties",
  "Condition",
  "DependsOn",
  "Metadata",
  "DeletionPolicy",
  "UpdateReplacePolicy",
]);
const SHORT_FORMS = new Set([
  "And",
  "Base64",
  "Contains",
  "EachMemberEquals",
  "EachMemberIn",
  "Equals",
  "FindInMap",
  "GetAtt",
  "If",
  "Join",
  "Not",
  "Or",
  "Select",
  "Split",
  "Sub",
]);

/** What `!Ref AWS::NoValue` is while a property is evaluated: its place disappears. */
const NO_VALUE = Symbol("AWS::NoValue");

/** Reads a template file into plain data, short forms written out: `!Ref X` is `{Ref: "X"}`. */
export function readTemplate(path) {
  const document = parseDocument(readFileSync(path, "utf8"), { logLevel: "silent", merge: false });
  const [error] = document.errors;
  if (error) throw new Error(`${path}: ${error.message}`);
  const template = plain(document.contents, path);
  for (const section of Object.keys(template)) {
    if (!SECTIONS.has(section)) throw new Error(`${path}: the section ${section} is not one that the harness reads`);
  }
  return template;
}

function plain(node, path) {
  if (node === null) return null;
  if (isAlias(node)) throw new Error(`${path}: CloudFormation takes no YAML aliases`);
  let value;
  if (isScalar(node)) value = node.value;
  else if (isSeq(node)) value = node.items.map((item) => plain(item, path));
  else if (isMap(node)) {
    value = {};
    for (const pair of node.items) value[String(plain(pair.key, path))] = plain(pair.value, path);
  }
  const tag = node.tag ?? "";
  if (!tag.startsWith("!") || tag.startsWith("!!")) return value;
  const name = tag.slice(1);
  if (name === "Ref" || name === "Condition") return { [name]: value };
  if (!SHORT_FORMS.has(name)) throw new Error(`${path}: the harness does not know !${name}`);
  if (name === "GetAtt" && typeof value === "string") {
    const dot = value.indexOf(".");
    return { "Fn::GetAtt": [value.slice(0, dot), value.slice(dot + 1)] };
  }
  return { [`Fn::${name}`]: value };
}

/** One stack: a template with its parameters, in an account and a region. */
export class Stack {
  #template;
  #conditions = new Map();
  #properties = new Map();
  #physical = new Map();

  /**
   * `parameters` are strings by name, as CloudFormation is given them.
   * Throws one sentence where CloudFormation would refuse to deploy, or where this reader does not understand.
   */
  constructor(template, { name, region, account, parameters }) {
    this.#template = template;
    this.name = name;
    this.region = region;
    this.account = account;
    this.parameters = this.#readParameters(parameters);
    for (const [rule, { RuleCondition, Assertions }] of Object.entries(template.Rules ?? {})) {
      if (RuleCondition !== undefined && !this.#isTrue(RuleCondition, rule)) continue;
      for (const { Assert, AssertDescription } of Assertions) {
        if (!this.#isTrue(Assert, rule))
          throw new Error(`${name}: ${AssertDescription ?? `rule ${rule} does not hold`}`);
      }
    }
    for (const [id, resource] of Object.entries(template.Resources)) {
      for (const key of Object.keys(resource)) {
        if (!RESOURCE_ATTRIBUTES.has(key))
          throw new Error(`${name}: ${id} has ${key}, which the harness does not know`);
      }
    }
    this.ids = Object.keys(template.Resources).filter((id) => this.#exists(id));
    for (const id of this.ids) this.#described(id);
  }

  /** The resources of a type, evaluated: `{id, ref, attributes, properties}`. */
  resources(type) {
    return this.ids.filter((id) => this.type(id) === type).map((id) => this.resource(id));
  }

  resource(id) {
    return { id, properties: this.properties(id), ...this.#described(id) };
  }

  type(id) {
    return this.#template.Resources[id].Type;
  }

  properties(id) {
    if (!this.#properties.has(id)) {
      const evaluated = this.#evaluate(this.#template.Resources[id].Properties ?? {}, id);
      this.#properties.set(id, evaluated === NO_VALUE ? {} : evaluated);
    }
    return this.#properties.get(id);
  }

  /** The outputs that the stack has, by name. */
  outputs() {
    const outputs = {};
    for (const [name, { Condition, Value }] of Object.entries(this.#template.Outputs ?? {})) {
      if (Condition === undefined || this.#condition(Condition))
        outputs[name] = this.#evaluate(Value, `output ${name}`);
    }
    return outputs;
  }

  #exists(id) {
    const { Condition } = this.#template.Resources[id];
    return Condition === undefined || this.#condition(Condition);
  }

  #described(id) {
    if (!this.#physical.has(id)) {
      // Attributes may need properties, which may refer to other resources; never to the same one.
      this.#physical.set(id, null);
      this.#physical.set(
        id,
        physical(this, id, this.type(id), () => this.properties(id)),
      );
    }
    const described = this.#physical.get(id);
    if (described === null) throw new Error(`${this.name}: ${id} refers to itself`);
    return described;
  }

  #readParameters(given) {
    const declared = this.#template.Parameters ?? {};
    for (const name of Object.keys(given)) {
      if (!(name in declared)) throw new Error(`${this.name}: the template has no parameter ${name}`);
    }
    const values = {};
    for (const [name, declaration] of Object.entries(declared)) {
      const value = given[name] ?? declaration.Default;
      if (value === undefined) throw new Error(`${this.name}: the parameter ${name} has no value`);
      values[name] = readParameter(`${this.name}: parameter ${name}`, String(value), declaration);
    }
    return values;
  }

  #condition(name) {
    if (!this.#conditions.has(name)) {
      const expression = this.#template.Conditions?.[name];
      if (expression === undefined) throw new Error(`${this.name}: there is no condition ${name}`);
      this.#conditions.set(name, null);
      this.#conditions.set(name, this.#isTrue(expression, `condition ${name}`));
    }
    const value = this.#conditions.get(name);
    if (value === null) throw new Error(`${this.name}: the condition ${name} refers to itself`);
    return value;
  }

  #isTrue(expression, where) {
    const value = this.#evaluate(expression, where);
    if (typeof value !== "boolean") throw new Error(`${this.name}: ${where} is no condition`);
    return value;
  }

  #evaluate(node, where) {
    if (Array.isArray(node)) {
      return node.map((item) => this.#evaluate(item, where)).filter((item) => item !== NO_VALUE);
    }
    if (typeof node !== "object" || node === null) return node;
    const keys = Object.keys(node);
    const [key] = keys;
    if (keys.length === 1 && (key === "Ref" || key.startsWith("Fn::"))) return this.#intrinsic(key, node[key], where);
    // In a resource `Condition` is a property of a policy statement; it is a function only when it names one.
    if (keys.length === 1 && key === "Condition" && typeof node[key] === "string") return this.#condition(node[key]);
    const evaluated = {};
    for (const name of keys) {
      const value = this.#evaluate(node[name], where);
      if (value !== NO_VALUE) evaluated[name] = value;
    }
    return evaluated;
  }

  #intrinsic(name, argument, where) {
    const list = (expected) => {
      if (!Array.isArray(argument) || (expected !== undefined && argument.length !== expected)) {
        throw new Error(`${this.name}: ${where}: ${name} has the wrong arguments`);
      }
      return argument.map((item) => this.#evaluate(item, where));
    };
    switch (name) {
      case "Ref":
        return this.#ref(argument, where);
      case "Fn::GetAtt":
        return this.#attribute(argument[0], argument[1], where);
      case "Fn::Sub":
        return this.#substitute(argument, where);
      case "Fn::If": {
        // Only the branch that counts is evaluated: the other may refer to what does not exist.
        if (argument.length !== 3) throw new Error(`${this.name}: ${where}: Fn::If has the wrong arguments`);
        return this.#evaluate(this.#condition(argument[0]) ? argument[1] : argument[2], where);
      }
      case "Fn::Join": {
        const [separator, items] = list(2);
        return items.map(String).join(separator);
      }
      case "Fn::Split": {
        const [separator, text] = list(2);
        return String(text).split(separator);
      }
      case "Fn::Select": {
        const [index, items] = list(2);
        const item = items[Number(index)];
        if (item === undefined) throw new Error(`${this.name}: ${where}: Fn::Select has no item ${index}`);
        return item;
      }
      case "Fn::FindInMap": {
        const [map, top, second] = list(3);
        const found = this.#template.Mappings?.[map]?.[top]?.[second];
        if (found === undefined) throw new Error(`${this.name}: ${where}: no ${map}.${top}.${second} in Mappings`);
        return found;
      }
      case "Fn::Base64":
        return Buffer.from(String(this.#evaluate(argument, where))).toString("base64");
      case "Fn::Equals": {
        const [left, right] = list(2);
        return String(left) === String(right);
      }
      case "Fn::Not":
        return list(1)[0] === false;
      case "Fn::And":
        return list().every((value) => value === true);
      case "Fn::Or":
        return list().some((value) => value === true);
      default: {
        const answer = holds(name, Array.isArray(argument) ? list() : argument);
        if (answer === undefined) throw new Error(`${this.name}: ${where}: the harness does not know ${name}`);
        return answer;
      }
    }
  }

  #ref(name, where) {
    const pseudo = {
      "AWS::AccountId": this.account,
      "AWS::NoValue": NO_VALUE,
      "AWS::Partition": "aws",
      "AWS::Region": this.region,
      "AWS::StackName": this.name,
      "AWS::URLSuffix": "amazonaws.com",
    };
    if (name in pseudo) return pseudo[name];
    if (name in this.parameters) return this.parameters[name];
    return this.#existing(name, where).ref;
  }

  #attribute(id, attribute, where) {
    const value = this.#existing(id, where).attributes[attribute];
    if (value === undefined)
      throw new Error(`${this.name}: ${where}: the harness knows no attribute ${id}.${attribute}`);
    return value;
  }

  #existing(id, where) {
    if (!(id in this.#template.Resources)) throw new Error(`${this.name}: ${where}: there is no ${id}`);
    if (!this.#exists(id)) throw new Error(`${this.name}: ${where}: ${id} is switched off by its condition`);
    return this.#described(id);
  }

  #substitute(argument, where) {
    const [text, given] = Array.isArray(argument) ? argument : [argument, {}];
    return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal, name) => {
      if (literal) return `\${${name}}`;
      if (name in given) return String(this.#evaluate(given[name], where));
      const dot = name.indexOf(".");
      if (dot > 0 && !name.includes("::"))
        return String(this.#attribute(name.slice(0, dot), name.slice(dot + 1), where));
      const value = this.#ref(name, where);
      if (typeof value !== "string" && typeof value !== "number") {
        throw new Error(`${this.name}: ${where}: \${${name}} is no text`);
      }
      return String(value);
    });
  }
}

function readParameter(what, value, declaration) {
  const { Type, AllowedValues, AllowedPattern, MinLength, MaxLength, MinValue, MaxValue } = declaration;
  const hint = declaration.ConstraintDescription ? ` (${declaration.ConstraintDescription})` : "";
  const refuse = () => {
    throw new Error(`${what} does not take «${value}»${hint}`);
  };
  if (!["String", "Number", "CommaDelimitedList"].includes(Type))
    throw new Error(`${what}: the harness does not know the type ${Type}`);
  if (AllowedValues && !AllowedValues.map(String).includes(value)) refuse();
  if (AllowedPattern && !new RegExp(`^(?:${AllowedPattern})$`).test(value)) refuse();
  if (MinLength !== undefined && value.length < Number(MinLength)) refuse();
  if (MaxLength !== undefined && value.length > Number(MaxLength)) refuse();
  if (Type === "Number") {
    const number = Number(value);
    if (value.trim() === "" || Number.isNaN(number)) refuse();
    if (MinValue !== undefined && number < Number(MinValue)) refuse();
    if (MaxValue !== undefined && number > Number(MaxValue)) refuse();
  }
  return Type === "CommaDelimitedList" ? value.split(",").map((item) => item.trim()) : value;
}
