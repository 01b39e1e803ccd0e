/** Takes file objects out of a run of a pack as its bytes arrive: each is verified and staged as soon as it is complete. */
import { type Checksum, isHacktreeError } from '../../core/index.ts';
import { IN_MEMORY_BYTES, splitFilez, storeFilez } from './filez.ts';
import { leaveRoom, takeRoom } from './rooms.ts';
import type { PackedObjects, StoredFile } from './source.ts';
import type { Storage } from './storable.ts';

/** What says that an object in the pack is wrong, and may be right where it is by itself. */
const WRONG = ['object-corrupt', 'server-invalid', 'format-invalid'];

export class RunReader {
  readonly #storage: Storage;
  readonly #packed: PackedObjects;
  readonly #stored: (checksum: Checksum, file: StoredFile) => void;
  readonly #room = takeRoom();
  #received = 0;
  /** The next object, and where it begins. */
  #next = 0;
  #start = 0;

  /** `packed` has at most ROOM_BYTES. */
  constructor(storage: Storage, packed: PackedObjects, stored: (checksum: Checksum, file: StoredFile) => void) {
    this.#storage = storage;
    this.#packed = packed;
    this.#stored = stored;
  }

  /** Leaves the memory to the next run; nothing may be taken afterwards. */
  close(): void {
    leaveRoom(this.#room);
  }

  get sizeBytes(): number {
    return this.#packed.lengths.reduce((sum, length) => sum + length, 0);
  }

  /** Where the bytes that come next belong, as many as are still to come. */
  get room(): Buffer {
    return this.#room.subarray(this.#received, this.sizeBytes);
  }

  /** Takes bytes, at most as many as there is room for. Errors: those of writing. */
  take(chunk: Buffer): void {
    chunk.copy(this.#room, this.#received);
    this.advance(chunk.length);
  }

  /** Says that so many bytes of `room` have been filled. Errors: those of writing. */
  advance(bytes: number): void {
    this.#received += bytes;
    const { checksums, lengths, path } = this.#packed;
    for (;;) {
      const checksum = checksums[this.#next];
      const end = this.#start + (lengths[this.#next] ?? 0);
      if (checksum === undefined || end > this.#received) return;
      const raw = this.#room.subarray(this.#start, end);
      this.#start = end;
      this.#next++;
      this.#store(checksum, raw, path);
    }
  }

  #store(checksum: Checksum, raw: Buffer, where: string): void {
    try {
      const filez = splitFilez(raw, checksum, { where });
      // Content that is so much larger is fetched by itself, through a file.
      if (filez.header.sizeBytes > IN_MEMORY_BYTES) return;
      this.#stored(checksum, storeFilez(this.#storage, checksum, filez, { where }));
    } catch (error) {
      if (!isHacktreeError(error) || !WRONG.includes(error.code)) throw error;
    }
  }
}
