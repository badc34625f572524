// As much of JSON Schema (draft-07) as `bulwark workflow nodes --schema` uses; what it does not know, it refuses.
const typeOf = (value) => value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
const isObject = (value) => typeOf(value) === 'object';
const list = (value) => Array.isArray(value) ? value : [value];

const RULES = {
    type: (types, value) => list(types).includes(typeOf(value)),
    enum: (values, value) => values.some((one) => JSON.stringify(one) === JSON.stringify(value)),
    const: (one, value) => JSON.stringify(one) === JSON.stringify(value),
    pattern: (pattern, value) => typeof value !== 'string' || new RegExp(pattern).test(value),
    minimum: (least, value) => typeof value !== 'number' || value >= least,
    maximum: (most, value) => typeof value !== 'number' || value <= most,
    required: (names, value) => !isObject(value) || names.every((name) => name in value),
    anyOf: (schemas, value, root) => schemas.some((schema) => isValid(schema, value, root)),
    allOf: (schemas, value, root) => schemas.every((schema) => isValid(schema, value, root)),
    if: (schema, value, root, { then = {} }) => !isValid(schema, value, root) || isValid(then, value, root),
    items: (schema, value, root) => !Array.isArray(value) || value.every((item) => isValid(schema, item, root)),
    properties: (properties, value, root) => !isObject(value) || Object.entries(properties)
        .every(([name, schema]) => !(name in value) || isValid(schema, value[name], root)),
    additionalProperties: (schema, value, root, { properties = {}, patternProperties = {} }) =>
        !isObject(value) || Object.entries(value).every(([name, member]) => name in properties ||
            Object.keys(patternProperties).some((pattern) => new RegExp(pattern).test(name)) ||
            isValid(schema, member, root)),
    $ref: (path, value, root) => isValid(path.split('/').slice(1).reduce((at, name) => at[name], root), value, root),
};
const WORDS = ['then', 'patternProperties', 'definitions', 'description', 'title', '$schema', 'x-default'];

export function isValid(schema, value, root) {
    if (typeof schema === 'boolean') return schema;
    return Object.entries(schema).every(([name, rule]) => {
        if (WORDS.includes(name)) return true;
        if (!RULES[name]) throw new Error(`unknown rule ${name}`);
        return RULES[name](rule, value, root, schema);
    });
}
