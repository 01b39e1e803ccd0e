/**
 * A set of objects in bounded memory: 33 bytes a slot, in typed arrays, so that millions of objects cost no JavaScript
 * strings. A checksum has one bit for each type it was added as.
 *
 * Open addressing in 256 tables by the checksum's first byte; a table that fills up grows by half on its own, so growth
 * needs little memory besides. The hash is keyed, because checksums in a hostile tree can be chosen. At most 63 bytes an
 * object, plus 2 KiB a table.
 */
import { CHECKSUM_BYTES, type Checksum } from '../core/index.ts';
import { OBJECT_TYPE_NUMBER, type ObjectType } from '../format/index.ts';
import { KeyedHash } from './keyed-hash.ts';

const WORDS = CHECKSUM_BYTES / 4;
const FIRST_SLOTS = 32;
const MAX_LOAD = 0.8;
const GROWTH = 1.5;

interface Table {
  slots: number;
  used: number;
  words: Int32Array;
  /** Types of the slot's object, one bit each; 0 = empty slot. */
  types: Uint8Array;
}

function newTable(slots: number): Table {
  return { slots, used: 0, words: new Int32Array(slots * WORDS), types: new Uint8Array(slots) };
}

/** Bit of a type: files, dirtrees, dirmetas, commits and so on up to file-xattrs (8 types). */
const typeBit = (type: ObjectType): number => 1 << (OBJECT_TYPE_NUMBER[type] - 1);

export class ObjectTable {
  readonly #tables: (Table | undefined)[] = new Array(256);
  readonly #key = new Int32Array(CHECKSUM_BYTES / 4);
  readonly #keyBytes = Buffer.from(this.#key.buffer);
  readonly #hash = new KeyedHash();
  #count = 0;

  /** Number of distinct (checksum, type) pairs. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of memory in use. */
  get sizeBytes(): number {
    return this.#tables.reduce((sum, table) => sum + (table?.words.byteLength ?? 0) + (table?.types.length ?? 0), 0);
  }

  /** Adds an object; returns false when it was there. */
  add(checksum: Checksum, type: ObjectType): boolean {
    this.#keyBytes.write(checksum, 'hex');
    return this.#add(typeBit(type));
  }

  /** Adds an object whose 32-byte checksum starts at a position of a buffer. */
  addBytes(bytes: Uint8Array, start: number, type: ObjectType): boolean {
    this.#loadBytes(bytes, start);
    return this.#add(typeBit(type));
  }

  has(checksum: Checksum, type: ObjectType): boolean {
    this.#keyBytes.write(checksum, 'hex');
    return this.#has(typeBit(type));
  }

  hasBytes(bytes: Uint8Array, start: number, type: ObjectType): boolean {
    this.#loadBytes(bytes, start);
    return this.#has(typeBit(type));
  }

  /** Yields the checksums of all objects of a type, in no order. */
  *checksums(type: ObjectType): Generator<Checksum> {
    const bit = typeBit(type);
    for (const table of this.#tables) {
      if (table === undefined) continue;
      const bytes = Buffer.from(table.words.buffer);
      for (let slot = 0; slot < table.slots; slot++) {
        if (((table.types[slot] as number) & bit) === 0) continue;
        yield bytes.toString('hex', slot * CHECKSUM_BYTES, (slot + 1) * CHECKSUM_BYTES) as Checksum;
      }
    }
  }

  /** A plain loop: calls into the engine for so few bytes cost several times as much. */
  #loadBytes(bytes: Uint8Array, start: number): void {
    for (let i = 0; i < CHECKSUM_BYTES; i++) this.#keyBytes[i] = bytes[start + i] as number;
  }

  #has(bit: number): boolean {
    const table = this.#tables[this.#keyBytes[0] as number];
    return table !== undefined && ((table.types[this.#find(table)] as number) & bit) !== 0;
  }

  #add(bit: number): boolean {
    const byte = this.#keyBytes[0] as number;
    let table = this.#tables[byte];
    if (table === undefined) {
      table = newTable(FIRST_SLOTS);
      this.#tables[byte] = table;
    }
    const slot = this.#find(table);
    const types = table.types[slot] as number;
    if ((types & bit) !== 0) return false;
    table.types[slot] = types | bit;
    this.#count++;
    if (types !== 0) return true;
    for (let i = 0; i < WORDS; i++) table.words[slot * WORDS + i] = this.#key[i] as number;
    table.used++;
    if (table.used > table.slots * MAX_LOAD) this.#grow(byte, table);
    return true;
  }

  /** Slot of the key, or the empty one where it would go. */
  #find(table: Table): number {
    const key = this.#key;
    let slot = this.#home(table, key, 0);
    for (;;) {
      if (table.types[slot] === 0) return slot;
      const at = slot * WORDS;
      let i = 0;
      while (i < WORDS && table.words[at + i] === key[i]) i++;
      if (i === WORDS) return slot;
      if (++slot === table.slots) slot = 0;
    }
  }

  #home(table: Table, words: Int32Array, start: number): number {
    return Math.floor((this.#hash.of(words, start) / 2 ** 32) * table.slots);
  }

  #grow(byte: number, old: Table): void {
    const table = newTable(Math.ceil(old.slots * GROWTH));
    for (let from = 0; from < old.slots; from++) {
      if (old.types[from] === 0) continue;
      let slot = this.#home(table, old.words, from * WORDS);
      while (table.types[slot] !== 0) slot = slot + 1 === table.slots ? 0 : slot + 1;
      table.types[slot] = old.types[from] as number;
      for (let i = 0; i < WORDS; i++) table.words[slot * WORDS + i] = old.words[from * WORDS + i] as number;
    }
    table.used = old.used;
    this.#tables[byte] = table;
  }
}
