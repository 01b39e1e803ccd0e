/** Prints a summary as `summary` and `remote summary` do, and gives it as data. */
import { printRawSummary, printSummary, printSummaryKey, type StoredSummary, summaryKeys } from '../remote/index.ts';
import type { Context } from './context.ts';

export interface SummaryView {
  readonly raw: boolean;
  readonly listMetadataKeys: boolean;
  readonly printMetadataKey: string | undefined;
}

type Given = Pick<StoredSummary, 'bytes' | 'summary'>;

/** Prints what is asked for. Errors: `format-invalid`, `metadata-missing`. */
export function showSummary(context: Context, { bytes, summary }: Given, view: SummaryView): object {
  if (view.listMetadataKeys) {
    const keys = summaryKeys(bytes);
    for (const key of keys) context.line(key);
    return { keys };
  }
  if (view.printMetadataKey !== undefined) {
    const text = printSummaryKey(bytes, view.printMetadataKey);
    context.line(text);
    return { text };
  }
  if (view.raw) context.line(printRawSummary(bytes));
  else context.print(printSummary(summary));
  const { refs } = summary;
  return { refs: refs.map(({ ref, commit, commitBytes }) => ({ ref, commit, commitBytes })), keys: summaryKeys(bytes) };
}
