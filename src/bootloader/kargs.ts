/**
 * Kernel arguments: an ordered multimap with OSTree's editing rules, and three layers merged with their origin.
 *
 * A command line is split at blanks; double quotes protect blanks and stay part of the argument. `key` (no value) and
 * `key=` (an empty one) are different values of one key.
 *
 * **Source:** ostree-cli B.8; `--karg*` of `ostree admin deploy` 2022.7 (see test/oracle).
 */
import { HacktreeError } from '../core/index.ts';

/** Splits a command line into arguments. A quote that is never closed protects to the end. */
export function splitKargs(text: string): string[] {
  return text.match(/(?:"[^"]*(?:"|$)|[^\s"])+/g) ?? [];
}

/** Joins arguments into a command line. */
export function joinKargs(words: readonly string[]): string {
  return words.join(' ');
}

/** Key of an argument: what stands before its first `=`. */
export function kargKey(argument: string): string {
  return argument.split('=', 1)[0] ?? '';
}

export type KargEdit =
  /** Adds at the end, even if the key is there. */
  | { readonly op: 'append'; readonly argument: string }
  /** Adds at the end unless this very argument is there. */
  | { readonly op: 'append-if-missing'; readonly argument: string }
  /** `K=V`: one value in the place of all of K, at the end when there is none; `K=OLD=NEW`, where `K=OLD` is there: that one. */
  | { readonly op: 'replace'; readonly argument: string }
  /** `K`: the only one of this key, or the one without value; `K=V`: the first of these. Nothing where K is absent. */
  | { readonly op: 'delete'; readonly argument: string };

/** An argument and the name of the layer that it came from. */
export interface Karg {
  readonly argument: string;
  readonly origin: string;
}

export interface KargLayer {
  readonly origin: string;
  readonly edits: readonly KargEdit[];
}

/** Applies edits in order. Errors: `karg-invalid`. */
export function editKargs(words: readonly string[], edits: readonly KargEdit[]): string[] {
  const start: KargLayer = { origin: '', edits: words.map((argument) => ({ op: 'append', argument })) };
  return mergeKargLayers([start, { origin: '', edits }]).map(({ argument }) => argument);
}

/**
 * Merges layers in order (tree, machine, one-shot): each edits what those before it made. An argument's origin is the
 * layer that wrote its present value. Errors: `karg-invalid`.
 */
export function mergeKargLayers(layers: readonly KargLayer[]): Karg[] {
  return layers.reduce<Karg[]>(
    (merged, { origin, edits }) => edits.reduce((kargs, edit) => applyEdit(kargs, edit, origin), merged),
    [],
  );
}

function applyEdit(kargs: readonly Karg[], { op, argument }: KargEdit, origin: string): Karg[] {
  if (argument === '' || kargKey(argument) === '') {
    throw new HacktreeError('karg-invalid', `Invalid kernel argument '${argument}'`, { details: { found: argument } });
  }
  switch (op) {
    case 'append':
      return [...kargs, { argument, origin }];
    case 'append-if-missing':
      return kargs.some((karg) => karg.argument === argument) ? [...kargs] : [...kargs, { argument, origin }];
    case 'replace':
      return replace(kargs, argument, origin);
    case 'delete':
      return remove(kargs, argument);
  }
}

function replace(kargs: readonly Karg[], argument: string, origin: string): Karg[] {
  const key = kargKey(argument);
  const single = kargs.findIndex((karg) => karg.argument.length > key.length && argument.startsWith(`${karg.argument}=`));
  if (single >= 0) {
    const old = kargs[single]?.argument ?? '';
    return kargs.toSpliced(single, 1, { argument: `${key}=${argument.slice(old.length + 1)}`, origin });
  }
  const first = kargs.findIndex((karg) => kargKey(karg.argument) === key);
  if (first < 0) return [...kargs, { argument, origin }];
  return kargs.flatMap((karg, i) => {
    if (i === first) return [{ argument, origin }];
    return kargKey(karg.argument) === key ? [] : [karg];
  });
}

function remove(kargs: readonly Karg[], argument: string): Karg[] {
  const key = kargKey(argument);
  const ofKey = kargs.filter((karg) => kargKey(karg.argument) === key);
  if (ofKey.length === 0) return [...kargs];
  const exact = kargs.findIndex((karg) => karg.argument === argument);
  if (exact >= 0) return kargs.toSpliced(exact, 1);
  if (argument !== key) throw kargError(`No karg '${argument}' found`, argument, ofKey);
  if (ofKey.length > 1) throw kargError(`Multiple values for key '${key}' found`, argument, ofKey);
  return kargs.filter((karg) => kargKey(karg.argument) !== key);
}

function kargError(message: string, argument: string, present: readonly Karg[]): HacktreeError {
  return new HacktreeError('karg-invalid', message, {
    details: { expected: argument, found: joinKargs(present.map((karg) => karg.argument)) },
  });
}
