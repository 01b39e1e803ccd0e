/** Memory for bodies and runs that arrive piece by piece, used again: left to be collected it would pile up outside the heap. */
import { WHOLE_BUFFER_BYTES } from '../../repo/index.ts';

export const ROOM_BYTES = WHOLE_BUFFER_BYTES;
/** Those that nobody uses at present. */
const rooms: Buffer[] = [];

/** Takes a room of ROOM_BYTES; what is in it is anything. */
export function takeRoom(): Buffer {
  return rooms.pop() ?? Buffer.allocUnsafeSlow(ROOM_BYTES);
}

/** Gives a room back, which is not used any more. */
export function leaveRoom(room: Buffer): void {
  rooms.push(room);
}
