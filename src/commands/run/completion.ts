/**
 * `completion`: prints a completion script, made from the command table, so that it needs no process but for refs.
 *
 * All three scripts hold the same facts as words of a line: `WORD...` below each command. Refs are asked from
 * `hacktree refs` with the `--repo` of the line being typed.
 */
import type { Context } from '../context.ts';
import { globalOptions } from '../hacktree/global-options.ts';
import { usageError } from '../input.ts';
import { type ArgSpec, type CommandSpec, type Input, isIn, type OptionSpec } from '../spec.ts';
import { COMMANDS } from '../table/index.ts';
import type { completion } from '../table/tool.ts';

export async function run(context: Context, input: Input<typeof completion>): Promise<void> {
  const print = SCRIPTS[input.shell];
  if (print === undefined) throw usageError(`Unknown shell '${input.shell}', expected ${Object.keys(SCRIPTS).join(', ')}`);
  const commands = COMMANDS.filter((spec) => isIn('hacktree', spec) && spec.hidden !== true);
  context.print(print(commands));
}

const SCRIPTS: Readonly<Record<string, (commands: readonly CommandSpec[]) => string>> = {
  bash: bashScript,
  zsh: (commands) => `#compdef hacktree\nautoload -Uz bashcompinit && bashcompinit\n${bashScript(commands)}`,
  fish: fishScript,
};

/** Groups with the words below each; '' for the top. */
function wordTree(commands: readonly CommandSpec[]): Map<string, Set<string>> {
  const tree = new Map<string, Set<string>>([['', new Set()]]);
  for (const { id } of commands) {
    const words = id.split(' ');
    words.forEach((word, i) => {
      const group = words.slice(0, i).join(' ');
      tree.set(group, (tree.get(group) ?? new Set()).add(word));
    });
  }
  return tree;
}

function optionsOf(spec: CommandSpec): readonly OptionSpec[] {
  return [...spec.options, ...globalOptions(spec)].filter((option) => isIn('hacktree', option) && option.hidden !== true);
}

/** How an option is written when its value follows or not. */
const withValue = ({ long, kind }: OptionSpec): string => (kind === 'flag' ? `--${long}` : `--${long}=`);

function bashScript(commands: readonly CommandSpec[]): string {
  const groups = [...wordTree(commands)].map(([group, words]) => `    '${group}') words='${[...words].join(' ')}' ;;`);
  const lines = commands.map((spec) => {
    const options = optionsOf(spec).map(withValue).join(' ');
    return `    '${spec.id}') words='${options}' args='${spec.args.map(argWord).join(' ')}' ;;`;
  });
  return `# Completion of hacktree for bash.
_hacktree_refs() {
  local word repo=()
  for word in "\${COMP_WORDS[@]}"; do
    case "$word" in --repo=*) repo=("$word") ;; esac
  done
  hacktree refs "\${repo[@]}" 2>/dev/null
}

_hacktree_command() {
  local words= args=
  case "$1" in
${groups.join('\n')}
  esac
  case "$1" in
${lines.join('\n')}
  esac
  printf '%s\\n%s\\n' "$words" "$args"
}

_hacktree() {
  local cur word id= next words args kind position=0 values
  # bash cuts words at = and :, which options and refs contain.
  local line="\${COMP_LINE:0:COMP_POINT}"
  cur="\${line##* }"
  COMPREPLY=()
  for word in \${line% *}; do
    case "$word" in
      hacktree|*/hacktree|-*) continue ;;
    esac
    next="\${id:+$id }$word"
    if [ "$position" = 0 ] && _hacktree_command "$next" | grep -q .; then id="$next"; else position=$((position + 1)); fi
  done
  { IFS= read -r words; IFS= read -r args; } < <(_hacktree_command "$id")
  case "$cur" in
    -*) values="$words" ;;
    *)
      kind=
      for word in $args; do
        kind="$word"
        [ "$position" = 0 ] && break
        position=$((position - 1))
        case "$word" in *...) ;; *) kind= ;; esac
      done
      case "\${kind%...}" in
        rev|ref) values="$(_hacktree_refs)" ;;
        dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        path) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        -) ;;
        '') [ -z "$args" ] && values="$words" ;;
        *) values="\${kind//,/ }" ;;
      esac ;;
  esac
  COMPREPLY=($(compgen -W "$values" -- "$cur"))
  case "\${COMPREPLY[0]}" in *=) compopt -o nospace 2>/dev/null ;; esac
  # What bash took for a word of its own before the cursor is not repeated.
  local cut="\${cur%"\${cur##*[=:]}"}"
  [ -n "$cut" ] && COMPREPLY=("\${COMPREPLY[@]#"$cut"}")
}
complete -F _hacktree hacktree
`;
}

/** `rev...`, `path`, `get,set,unset`, or `-` for what cannot be completed. */
function argWord({ completes, many }: ArgSpec): string {
  const word = completes === undefined ? '-' : typeof completes === 'string' ? completes : completes.join(',');
  return `${word}${many === true ? '...' : ''}`;
}

function fishScript(commands: readonly CommandSpec[]): string {
  const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = ['# Completion of hacktree for fish.', 'complete -c hacktree -f', FISH_FUNCTIONS];
  for (const spec of commands) {
    const words = spec.id.split(' ');
    const before = words.slice(0, -1).join(' ');
    lines.push(`complete -c hacktree -n ${quote(`__hacktree_at '${before}'`)} -a ${words.at(-1)} -d ${quote(spec.summary)}`);
    const when = `-n ${quote(`__hacktree_in '${spec.id}'`)}`;
    for (const { long, short, kind, summary, choices } of optionsOf(spec)) {
      const letter = short === undefined ? '' : ` -s ${short}`;
      const value = kind === 'flag' ? '' : choices === undefined ? ' -r' : ` -x -a ${quote(choices.join(' '))}`;
      lines.push(`complete -c hacktree ${when} -l ${long}${letter}${value} -d ${quote(summary)}`);
    }
    for (const { completes } of spec.args) {
      if (completes === 'rev' || completes === 'ref') lines.push(`complete -c hacktree ${when} -a '(__hacktree_refs)'`);
      else if (completes === 'path' || completes === 'dir') lines.push(`complete -c hacktree ${when} -F`);
      else if (typeof completes === 'object') lines.push(`complete -c hacktree ${when} -a ${quote(completes.join(' '))}`);
    }
  }
  return `${[...new Set(lines)].join('\n')}\n`;
}

const FISH_FUNCTIONS = `function __hacktree_words
  string match -v -- '-*' (commandline -opc)[2..-1]
end
function __hacktree_at
  test "$(string join ' ' -- (__hacktree_words))" = "$argv[1]"
end
function __hacktree_in
  string match -q -- "$argv[1] *" "$(string join ' ' -- (__hacktree_words)) "
end
function __hacktree_refs
  set -l repo (string match -- '--repo=*' (commandline -opc))
  hacktree refs $repo 2>/dev/null
end`;
