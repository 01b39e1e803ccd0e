/** Interrupting a pull: nobody waits for a server that is slow to answer. */
import { HacktreeError } from '../../core/index.ts';

/** What a pull that was interrupted ends with. */
export function interrupted(): HacktreeError {
  return new HacktreeError('interrupted', 'Pull was interrupted; the next one continues it');
}

/**
 * Works with something that must be ended afterwards, once or twice, and is ended at once when the signal comes: requests under way
 * fail then, which is told as the interruption that it is. Errors: those of the work, `interrupted`.
 */
export async function endingWith<T>(
  signal: AbortSignal | undefined,
  end: () => Promise<void>,
  work: () => Promise<T>,
): Promise<T> {
  const endNow = (): void => void end().catch(() => {});
  signal?.addEventListener('abort', endNow, { once: true });
  try {
    if (signal?.aborted === true) throw interrupted();
    return await work();
  } catch (error) {
    throw signal?.aborted === true ? interrupted() : error;
  } finally {
    signal?.removeEventListener('abort', endNow);
    await end();
  }
}
