/**
 * Merges the account files of three sides by name and field.
 *
 * The user's order of lines stays; accounts that the new defaults add come after the one they follow there. Members
 * of groups merge as sets. The day of the last password change goes with the password. Where both sides changed a
 * field, or both claim an id for different names, the user's side wins and the conflict is named. A new default
 * account whose id is taken is left out of all files: giving it another id would not match the ids that the new tree's files bear,
 * and giving it this one would hand it the user's files.
 */
import {
  ACCOUNT_FILES,
  ACCOUNT_FORMATS,
  type AccountFile,
  type AccountFormat,
  type AccountRecord,
  claimedIds,
  idsOverlap,
  parseAccounts,
  parseNames,
  printAccounts,
  withFields,
} from './account-files.ts';

/** The three sides of one file as text; base is undefined when the old defaults had no such file. */
export interface AccountVersions {
  readonly base: string | undefined;
  readonly user: string;
  readonly next: string;
}

export interface AccountMerge {
  readonly text: string;
  /** What could not be merged, one sentence each. */
  readonly conflicts: readonly string[];
}

/** Merges all files given at once, since an account left out of one must be left out of the others. */
export function mergeAccountFiles(
  files: Readonly<Partial<Record<AccountFile, AccountVersions>>>,
): Partial<Record<AccountFile, AccountMerge>> {
  const leftOut = { group: new Set<string>(), gids: new Set<string>(), passwd: new Set<string>() };
  const merges: Partial<Record<AccountFile, AccountMerge>> = {};
  for (const file of ACCOUNT_FILES) {
    const versions = files[file];
    if (versions === undefined) continue;
    const merge = new FileMerge(file, versions);
    if (file === 'gshadow') merge.leaveOutSilently(leftOut.group);
    if (file === 'passwd') merge.leaveOutMembersOf(leftOut.gids);
    if (file === 'shadow' || file === 'subuid' || file === 'subgid') merge.leaveOutSilently(leftOut.passwd);
    merge.settleIds();
    for (const [name, id] of merge.leftOut) {
      if (file === 'group') leftOut.group.add(name);
      if (file === 'group') leftOut.gids.add(id);
      if (file === 'passwd') leftOut.passwd.add(name);
    }
    merges[file] = merge.result();
  }
  return merges;
}

interface Sides {
  readonly base: AccountRecord | undefined;
  readonly user: AccountRecord | undefined;
  readonly next: AccountRecord | undefined;
}

class FileMerge {
  readonly #file: AccountFile;
  readonly #format: AccountFormat;
  readonly #base: Map<string, AccountRecord>;
  readonly #user: Map<string, AccountRecord>;
  readonly #next: Map<string, AccountRecord>;
  readonly #conflicts: string[] = [];
  /** Names of new default accounts left out, with the id they claim. */
  readonly leftOut = new Map<string, string>();
  #records: AccountRecord[];

  constructor(file: AccountFile, versions: AccountVersions) {
    this.#file = file;
    this.#format = ACCOUNT_FORMATS[file];
    this.#base = byKey(versions.base ?? '');
    this.#user = byKey(versions.user);
    this.#next = byKey(versions.next);
    this.#records = this.#mergeRecords();
  }

  result(): AccountMerge {
    return { text: printAccounts(this.#records), conflicts: this.#conflicts };
  }

  /** Leaves out what only the new defaults have of accounts already left out of another file. */
  leaveOutSilently(names: ReadonlySet<string>): void {
    this.#records = this.#records.filter((record) => !(names.has(record.name) && this.#isNew(record)));
  }

  /** Leaves out new default accounts whose primary group was left out, since its id belongs to another group here. */
  leaveOutMembersOf(gids: ReadonlySet<string>): void {
    for (const record of this.#records) {
      const gid = record.fields?.[3];
      if (gid === undefined || !gids.has(gid) || !this.#isNew(record)) continue;
      this.#leaveOut(record, `the new default account '${record.name}' has the group ${gid}, which is another group here`);
    }
  }

  /** Finds ids that different names claim through merging, and lets the user's claim stand. */
  settleIds(): void {
    const claims = this.#records.flatMap((record) => {
      const ids = claimedIds(this.#format, record.fields);
      return ids !== undefined && this.#isUsersClaim(record, ids) ? [{ name: record.name, ids }] : [];
    });
    for (const [at, record] of this.#records.entries()) {
      const ids = claimedIds(this.#format, record.fields);
      if (ids === undefined || this.#isUsersClaim(record, ids)) continue;
      const rival = claims.find((claim) => claim.name !== record.name && idsOverlap(claim.ids, ids));
      if (rival === undefined || this.#isSharedInNext(rival.name, ids)) continue;
      const what = `${this.#format.idName} ${printIds(ids)} is '${rival.name}' here and '${record.name}' in the new defaults`;
      const mine = this.#user.get(record.key);
      if (mine === undefined) this.#leaveOut(record, what);
      else {
        this.#records[at] = mine;
        this.#conflicts.push(what);
      }
    }
    this.#records = this.#records.filter((record) => !this.leftOut.has(record.name) || !this.#isNew(record));
  }

  #leaveOut(record: AccountRecord, why: string): void {
    if (this.leftOut.has(record.name)) return;
    this.leftOut.set(record.name, record.fields?.[this.#format.idField ?? 1] ?? '');
    this.#conflicts.push(`${why}; it was left out`);
  }

  #isNew(record: AccountRecord): boolean {
    return !this.#user.has(record.key);
  }

  #isUsersClaim(record: AccountRecord, ids: readonly [number, number]): boolean {
    const mine = claimedIds(this.#format, this.#user.get(record.key)?.fields);
    return mine !== undefined && mine[0] === ids[0] && mine[1] === ids[1];
  }

  /** The new defaults give the id to both names on purpose. */
  #isSharedInNext(name: string, ids: readonly [number, number]): boolean {
    const theirs = claimedIds(this.#format, this.#next.get(name)?.fields);
    return theirs !== undefined && idsOverlap(theirs, ids);
  }

  #mergeRecords(): AccountRecord[] {
    const records: AccountRecord[] = [];
    for (const key of this.#mergedOrder()) {
      const sides = { base: this.#base.get(key), user: this.#user.get(key), next: this.#next.get(key) };
      const record = this.#mergeRecord(sides);
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  /** The user's order, with each key that only the new defaults have after the nearest one before it there. */
  #mergedOrder(): string[] {
    const followers = new Map<string | undefined, string[]>();
    let previous: string | undefined;
    for (const key of this.#next.keys()) {
      if (this.#user.has(key)) previous = key;
      else followers.set(previous, [...(followers.get(previous) ?? []), key]);
    }
    return [undefined, ...this.#user.keys()].flatMap((key) => [
      ...(key === undefined ? [] : [key]),
      ...(followers.get(key) ?? []),
    ]);
  }

  #mergeRecord({ base, user, next }: Sides): AccountRecord | undefined {
    if (user === undefined) return base === undefined ? next : undefined;
    if (next === undefined) return base !== undefined && base.line === user.line ? undefined : user;
    if (user.line === next.line || base?.line === next.line) return user;
    if (base?.line === user.line) return next;
    return this.#mergeFields(base, user, next);
  }

  #mergeFields(base: AccountRecord | undefined, user: AccountRecord, next: AccountRecord): AccountRecord {
    const sides = { base: base?.fields, user: user.fields ?? [], next: next.fields ?? [] };
    const count = sides.user.length;
    if (sides.next.length !== count || (sides.base !== undefined && sides.base.length !== count)) {
      this.#conflicts.push(`'${user.name}' has a different number of fields in the new defaults`);
      return user;
    }
    const passwordField = this.#format.passwordField ?? -2;
    const merged = sides.user.map((_, i) => {
      if (i === passwordField + 1) return '';
      return this.#mergeField({ base: sides.base?.[i], user: sides.user[i] ?? '', next: sides.next[i] ?? '' }, i, user.name);
    });
    if (passwordField >= 0 && passwordField + 1 < count) merged[passwordField + 1] = dayOfChange(sides, merged, passwordField);
    return withFields(user, merged);
  }

  #mergeField(field: { base: string | undefined; user: string; next: string }, index: number, name: string): string {
    const { base, user, next } = field;
    if (user === next || base === next) return user;
    if (base === user) return next;
    if (this.#format.setFields.includes(index)) return mergeSets(base ?? '', user, next);
    this.#conflicts.push(`'${name}': field ${index + 1} of ${this.#file} was changed both here and in the new defaults`);
    return user;
  }
}

function byKey(text: string): Map<string, AccountRecord> {
  return new Map(parseAccounts(text).map((record) => [record.key, record]));
}

function mergeSets(base: string, user: string, next: string): string {
  const before = parseNames(base);
  const theirs = parseNames(next);
  const mine = parseNames(user);
  const kept = mine.filter((name) => theirs.includes(name) || !before.includes(name));
  const added = theirs.filter((name) => !before.includes(name) && !mine.includes(name));
  return [...kept, ...added].join(',');
}

interface FieldSides {
  readonly base: readonly string[] | undefined;
  readonly user: readonly string[];
  readonly next: readonly string[];
}

/** The day belongs to the side whose password was taken; with the same password on both, to the side that changed it. */
function dayOfChange({ base, user, next }: FieldSides, merged: readonly string[], passwordField: number): string {
  const day = passwordField + 1;
  const password = merged[passwordField];
  if (user[passwordField] !== next[passwordField]) return (password === user[passwordField] ? user[day] : next[day]) ?? '';
  return (base !== undefined && base[day] === user[day] ? next[day] : user[day]) ?? '';
}

function printIds([first, last]: readonly [number, number]): string {
  return first === last ? `${first}` : `${first}-${last}`;
}
