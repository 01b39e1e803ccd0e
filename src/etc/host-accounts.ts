/**
 * Takes the people's accounts of the host distribution into a new root at its first deployment: /home is shared, so its
 * owners must be the same and be able to log in.
 *
 * Users and groups with ids from 1000 up are taken, and those that the policy names; with them their passwords, their
 * places in groups that the new root has under the same name, and their ranges of subordinate ids. System accounts stay
 * the new root's. A pure function of the two sets of files; later deployments merge root to root (account-merge.ts).
 *
 * **Source:** login.defs(5) for the ranges; 65534 and 65535 are nobody's and invalid by convention (systemd, "Users, Groups,
 * UIDs and GIDs on systemd Systems").
 */
import {
  ACCOUNT_FILES,
  ACCOUNT_FORMATS,
  type AccountFile,
  type AccountRecord,
  claimedIds,
  idsOverlap,
  parseAccounts,
  parseNames,
  printAccounts,
  withFields,
} from './account-files.ts';
import type { EtcPolicy } from './policy.ts';

/** Texts of the account files; missing ones are undefined. Bytes as latin1 or text as UTF-8, both work. */
export type AccountTexts = Readonly<Partial<Record<AccountFile, string>>>;

export interface HostAccountsRequest {
  readonly host: AccountTexts;
  /** Those of the new root. */
  readonly root: AccountTexts;
  readonly policy: Pick<EtcPolicy, 'accounts'>;
  /** Tells whether the new root has a login shell. Accounts whose shell is missing get /bin/sh. Default: all are there. */
  readonly hasShell?: (shell: string) => boolean;
}

export interface HostAccounts {
  /** The files of the new root as they are to be; only those that change. */
  readonly texts: AccountTexts;
  readonly users: readonly string[];
  readonly groups: readonly string[];
  /** What could not be taken as it is, one sentence each. */
  readonly conflicts: readonly string[];
}

const FIRST_ID = 1000;
const NOBODYS_IDS: ReadonlySet<string> = new Set(['65534', '65535', '4294967294', '4294967295']);

/** Plans which accounts of the host a new root gets. */
export function planHostAccounts(request: HostAccountsRequest): HostAccounts {
  const taking = new Taking(request);
  taking.takeGroups();
  taking.takeUsers();
  taking.takeMemberships();
  taking.takeRanges();
  return taking.result();
}

class Taking {
  readonly #request: HostAccountsRequest;
  readonly #host: Record<AccountFile, AccountRecord[]>;
  readonly #root: Record<AccountFile, AccountRecord[]>;
  readonly #conflicts: string[] = [];
  readonly #users: string[] = [];
  readonly #groups: string[] = [];

  constructor(request: HostAccountsRequest) {
    this.#request = request;
    this.#host = parseAll(request.host);
    this.#root = parseAll(request.root);
  }

  result(): HostAccounts {
    const texts: Partial<Record<AccountFile, string>> = {};
    for (const file of ACCOUNT_FILES) {
      const text = printAccounts(this.#root[file]);
      if (text !== (this.#request.root[file] ?? '')) texts[file] = text;
    }
    return { texts, users: this.#users, groups: this.#groups, conflicts: this.#conflicts };
  }

  takeGroups(): void {
    const primary = new Set(this.#wantedUsers().map(({ fields }) => fields?.[3]));
    for (const record of this.#host.group) {
      const gid = record.fields?.[2] ?? '';
      const isNamed = this.#request.policy.accounts.groups.includes(record.name);
      const isNeeded = primary.has(gid) && !this.#root.group.some(({ fields }) => fields?.[2] === gid);
      if (!isPersonal(record) && !isNamed && !isNeeded) continue;
      if (this.#take('group', record, isNamed)) {
        this.#groups.push(record.name);
        this.#takeSecret('gshadow', record.name);
      }
    }
  }

  takeUsers(): void {
    for (const record of this.#wantedUsers()) {
      const isNamed = this.#request.policy.accounts.users.includes(record.name);
      if (!this.#take('passwd', this.#withShell(record), isNamed)) continue;
      this.#users.push(record.name);
      this.#takeSecret('shadow', record.name);
    }
  }

  /** Puts the users taken into the groups that they are in on the host, where the new root has these. */
  takeMemberships(): void {
    for (const file of ['group', 'gshadow'] as const) {
      const fields = ACCOUNT_FORMATS[file].setFields;
      for (const group of this.#host[file]) {
        const at = this.#root[file].findIndex(({ name }) => name === group.name);
        const mine = this.#root[file][at];
        const members = fields.map((field) =>
          parseNames(group.fields?.[field] ?? '').filter((name) => this.#users.includes(name)),
        );
        if (mine?.fields !== undefined) this.#root[file][at] = addMembers(mine, fields, members);
        else if (file === 'group' && members.flat().length > 0) {
          this.#conflicts.push(`the new root has no group '${group.name}', in which ${members.flat().join(', ')} is on the host`);
        }
      }
    }
  }

  takeRanges(): void {
    for (const file of ['subuid', 'subgid'] as const) {
      const format = ACCOUNT_FORMATS[file];
      const wanted = this.#host[file].filter(({ name }) => this.#users.includes(this.#nameOf(name)));
      this.#root[file] = this.#root[file].filter(({ name }) => !this.#users.includes(this.#nameOf(name)));
      for (const record of wanted) {
        const ids = claimedIds(format, record.fields);
        const rivals = this.#root[file].filter((other) => idsOverlap(claimedIds(format, other.fields), ids));
        for (const { name } of rivals)
          this.#conflicts.push(`${file}: the range of '${name}' overlaps that of '${record.name}' and was left out`);
        this.#root[file] = [...this.#root[file].filter((other) => !rivals.includes(other)), record];
      }
    }
  }

  #wantedUsers(): AccountRecord[] {
    const { users } = this.#request.policy.accounts;
    return this.#host.passwd.filter(
      (record) => isPersonal(record) || (record.fields !== undefined && users.includes(record.name)),
    );
  }

  /** subuid(5) allows a uid in place of the name. */
  #nameOf(owner: string): string {
    return this.#host.passwd.find(({ fields }) => fields?.[2] === owner)?.name ?? owner;
  }

  /**
   * Puts a record of the host in, in place of one with the same name. Another account with its id goes, for the host's
   * files bear that id. A system account of the new root with the same name but another id stays, with all that is its own.
   */
  #take(file: 'passwd' | 'group', record: AccountRecord, isNamed: boolean): boolean {
    const id = record.fields?.[2] ?? '';
    const mine = this.#root[file].find(({ name }) => name === record.name);
    const [what, idName] = file === 'passwd' ? ['user', 'uid'] : ['group', 'gid'];
    const myId = mine?.fields?.[2];
    if (mine !== undefined && myId !== id) {
      const stays = !isPersonal(mine);
      const outcome = stays ? `${myId} stays` : `${id} was taken`;
      this.#conflicts.push(`${what} '${record.name}' has ${idName} ${id} on the host and ${myId} in the new root; ${outcome}`);
      if (stays) return false;
    }
    const rival = this.#root[file].find(({ name, fields }) => name !== record.name && fields?.[2] === id);
    if (rival !== undefined) {
      const stays = !isPersonal(rival);
      const left = stays ? record.name : rival.name;
      this.#conflicts.push(
        `${idName} ${id} is '${record.name}' on the host and '${rival.name}' in the new root; '${left}' was left out`,
      );
      if (stays) return false;
      this.#remove(file, rival.name);
    }
    if (mine === undefined) this.#root[file].push(record);
    else if (!(isNamed && myId === id && !isPersonal(record)))
      this.#root[file] = this.#root[file].map((one) => (one === mine ? record : one));
    return true;
  }

  #remove(file: 'passwd' | 'group', name: string): void {
    const files: readonly AccountFile[] = file === 'passwd' ? ['passwd', 'shadow', 'subuid', 'subgid'] : ['group', 'gshadow'];
    for (const each of files) this.#root[each] = this.#root[each].filter((record) => record.name !== name);
  }

  #takeSecret(file: 'shadow' | 'gshadow', name: string): void {
    const secret = this.#host[file].find((record) => record.name === name);
    if (secret === undefined) return;
    const at = this.#root[file].findIndex((record) => record.name === name);
    if (at < 0) this.#root[file].push(secret);
    else this.#root[file][at] = secret;
  }

  #withShell(record: AccountRecord): AccountRecord {
    const shell = record.fields?.[6] ?? '';
    if (record.fields === undefined || shell === '' || (this.#request.hasShell?.(shell) ?? true)) return record;
    this.#conflicts.push(`the new root has no ${shell}, the shell of '${record.name}'; it got /bin/sh`);
    return withFields(record, record.fields.with(6, '/bin/sh'));
  }
}

/** Tells whether a record is a person's: its id is 1000 or above, and not nobody's. */
function isPersonal({ fields }: AccountRecord): boolean {
  const id = fields?.[2] ?? '';
  return /^\d+$/.test(id) && Number(id) >= FIRST_ID && !NOBODYS_IDS.has(id);
}

function parseAll(texts: AccountTexts): Record<AccountFile, AccountRecord[]> {
  const parse = (file: AccountFile): AccountRecord[] => parseAccounts(texts[file] ?? '');
  return {
    group: parse('group'),
    gshadow: parse('gshadow'),
    passwd: parse('passwd'),
    shadow: parse('shadow'),
    subuid: parse('subuid'),
    subgid: parse('subgid'),
  };
}

function addMembers(record: AccountRecord, setFields: readonly number[], members: readonly (readonly string[])[]): AccountRecord {
  let fields = record.fields ?? [];
  for (const [i, field] of setFields.entries()) {
    const present = parseNames(fields[field] ?? '');
    const added = (members[i] ?? []).filter((name) => !present.includes(name));
    if (added.length > 0) fields = fields.with(field, [...present, ...added].join(','));
  }
  return withFields(record, fields);
}
