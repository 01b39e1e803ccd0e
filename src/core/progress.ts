/**
 * Progress: what a long job tells its caller while it runs.
 *
 * A job calls `report` with the whole state each time, as often as it likes (a batch, not a file); the caller draws it
 * or drops it. Library code never prints and keeps no clock: rate and time left are the drawer's business.
 */

export interface Progress {
  /** What is being done, as a reader says it: `Writing objects`. A new phase starts its counts anew. */
  readonly phase: string;
  readonly objectsDone: number;
  /** undefined while it is not known. */
  readonly objectsTotal?: number | undefined;
  readonly bytesDone: number;
  /** undefined while it is not known, or when bytes mean nothing in this phase. */
  readonly bytesTotal?: number | undefined;
  /** Pulls: bytes that need not be downloaded, so far, by what saves them. */
  readonly savedBytes?: { readonly byIndex: number; readonly byDeltas: number };
}

/** Receives the state of a job. Must not throw. */
export type ReportProgress = (progress: Progress) => void;
