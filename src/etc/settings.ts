/**
 * Lines that set one key each, and whether changes of such lines have to do with one another.
 *
 * A setting starts at the line's beginning: `KEY=value`, `key value`, `key: value`, also commented out. An indented line
 * belongs to what is above it, and one that ends with a backslash to what is below, so neither counts.
 */

const SETTING = /^(?:export\s+)?([A-Za-z_][\w.-]*)(?:\s*[=:]|\s+\S)/;
const COMMENTED = /^[#;]+\s*/;

/** Tells whether a text is a program, in which no line stands for itself. */
export function isProgram(lines: readonly string[]): boolean {
  return lines[0]?.startsWith('#!') ?? false;
}

/**
 * Tells whether two sets of neighbouring lines, each with what was there and what replaces it, consist of settings,
 * comments and blank lines, and no key stands in both.
 */
export function areIndependentSettings(one: readonly string[], other: readonly string[]): boolean {
  const keys = keysOf(one);
  const others = keysOf(other);
  return keys !== undefined && others !== undefined && ![...keys].some((key) => others.has(key));
}

/** The keys that lines set; undefined when a line is something else. */
function keysOf(lines: readonly string[]): Set<string> | undefined {
  const keys = new Set<string>();
  for (const line of lines) {
    if (line.trim() === '') continue;
    if (line.endsWith('\\')) return undefined;
    const key = SETTING.exec(line.replace(COMMENTED, ''))?.[1];
    if (key !== undefined) keys.add(key.toLowerCase());
    else if (!COMMENTED.test(line)) return undefined;
  }
  return keys;
}
