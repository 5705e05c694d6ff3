import type { ArgsDef } from "citty";
import type { Command } from "./define-command.ts";

type Shell = "bash" | "zsh" | "fish";

/** What may follow the words of a command: further commands, and options. */
interface Node {
  readonly path: string;
  readonly commands: readonly (readonly [name: string, description: string])[];
  readonly options: readonly (readonly [name: string, description: string])[];
}

/** A completion script, made from the tree of commands. */
export function completionScript(shell: Shell, root: Command): string {
  const nodes = nodesOf(root, "");
  return { bash, zsh, fish }[shell](nodes);
}

function nodesOf(at: Command, path: string): Node[] {
  const { subCommands = {}, args = {} } = at.definition;
  const commands = Object.entries(subCommands).map(([name, sub]) => [name, sub.definition.description] as const);
  const below = Object.entries(subCommands).flatMap(([name, sub]) => nodesOf(sub, `${path} ${name}`.trim()));
  return [{ path, commands, options: optionsOf(args) }, ...below];
}

function optionsOf(args: ArgsDef): Node["options"] {
  const options = Object.entries(args).filter(([, { type }]) => type !== "positional");
  return [...options.map(([name, { description = "" }]) => [name, description] as const), ["help", "show what it takes"]];
}

const words = ({ commands, options }: Node) => [...commands.map(([name]) => name), ...options.map(([name]) => `--${name}`)].join(" ");
const cases = (nodes: readonly Node[]) => nodes.map((node) => `    '${node.path}') words='${words(node)}' ;;`).join("\n");

/** The part that bash and zsh share: the longest run of words that is a command. */
const FIND_PATH = (nodes: readonly Node[]) => `  local path='' candidate word
  for word in "\${typed[@]}"; do
    case $word in --) return ;; -*) continue ;; esac
    candidate="\${path:+$path }$word"
    case "$candidate" in ${nodes
      .slice(1)
      .map(({ path }) => `'${path}'`)
      .join("|")}) path=$candidate ;; *) break ;; esac
  done
  local words=''
  case "$path" in
${cases(nodes)}
  esac`;

function bash(nodes: readonly Node[]): string {
  return `# keyhole completion for bash
_keyhole() {
  local typed=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
${FIND_PATH(nodes)}
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
  [[ \${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _keyhole keyhole
`;
}

function zsh(nodes: readonly Node[]): string {
  // \`words\` and \`path\` have a meaning of their own in zsh.
  const find = FIND_PATH(nodes)
    .replaceAll(/\bwords\b/g, "choices")
    .replaceAll(/\bpath\b/g, "found");
  return `#compdef keyhole
# keyhole completion for zsh
_keyhole() {
  local -a typed
  typed=("\${(@)words[2,CURRENT-1]}")
${find}
  compadd -- \${=choices}
  _files
}
if [ "$funcstack[1]" = "_keyhole" ]; then _keyhole "$@"; else compdef _keyhole keyhole; fi
`;
}

function fish(nodes: readonly Node[]): string {
  const quote = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = nodes.flatMap(({ path, commands, options }) => {
    const seen =
      path === ""
        ? "__fish_use_subcommand"
        : path
            .split(" ")
            .map((word) => `__fish_seen_subcommand_from ${word}`)
            .join("; and ");
    const toCommands = commands.map(([name, description]) => `complete -c keyhole -f -n ${quote(seen)} -a ${name} -d ${quote(description)}`);
    const toOptions = options.map(([name, description]) => `complete -c keyhole -n ${quote(seen)} -l ${name} -d ${quote(description)}`);
    return [...toCommands, ...toOptions];
  });
  return `# keyhole completion for fish\n${lines.join("\n")}\n`;
}
