/** `summary`: writes or shows the repository's own summary. */
import { readSummary, updateSummary } from '../../remote/index.ts';
import { parseVariantText, type Repo } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { usageError } from '../input.ts';
import { openForChange } from '../open-repo.ts';
import type { Input } from '../spec.ts';
import { showSummary } from '../summary-report.ts';
import type { summary } from '../table/mirrors.ts';

type SummaryInput = Input<typeof summary>;

export async function run(context: Context, input: SummaryInput): Promise<unknown> {
  const repo = openForChange(context);
  if (input.update) return update(context, repo, input);
  if (input.view || input.raw || input.listMetadataKeys || input.printMetadataKey !== undefined)
    return showSummary(context, readSummary(repo), input);
  throw usageError('No option specified; use -u to update summary');
}

async function update(context: Context, repo: Repo, input: SummaryInput): Promise<unknown> {
  const sign = await readSigner(context, input);
  const bytes = await updateSummary(repo, {
    metadata: input.addMetadata.map((text) => {
      const [key, value] = splitPair(text);
      return [key, parseVariantText(value)] as const;
    }),
    contentIndex: !input.noContentIndex,
    onLockWait: context.onLockWait,
    ...(sign === undefined ? {} : { sign }),
  });
  return { path: `${repo.path}/summary`, sizeBytes: bytes.length };
}

/** `KEY=VALUE`. Errors: `usage`. */
function splitPair(text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals < 0) throw usageError(`Missing '=' in KEY=VALUE metadata '${text}'`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

/** The signing code, OpenPGP above all, is loaded only when a key is given. */
async function readSigner({ environment: { dummyEnabled } }: Context, input: SummaryInput) {
  const { gpgSign, sign, signFromFile } = input;
  if (gpgSign.length === 0 && sign.length === 0 && signFromFile.length === 0) return undefined;
  const { openSigner } = await import('../signer.ts');
  return openSigner({
    gpgKeys: gpgSign,
    gpgHomedir: input.gpgHomedir,
    keys: sign,
    keyFiles: signFromFile,
    type: input.signType,
    dummyEnabled,
  });
}
