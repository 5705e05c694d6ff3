/** The shells that have a completion script. */
export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;

/**
 * A completion script. It knows no command: it asks `keyhole complete -- WORDS`, which prints what may stand for the last
 * word, a line for each with a tab and what it is, and as the last line `:files` where the shell is to suggest files, or `:`.
 * Asked is what is called `keyhole` in the search path, whatever path was typed: a key for suggestions starts nothing else.
 */
export function completionScript(shell: (typeof SHELLS)[number]): string {
  return { bash: BASH, zsh: ZSH, fish: FISH, powershell: POWERSHELL }[shell];
}

// Also for bash 3.2, which macOS has: without `mapfile`, and without `compopt`, in whose place a file's name is quoted.
// bash takes `namespace:prod` and `--scope=prod` for several words: what is before the last of them stays.
const BASH = `# keyhole completion for bash
_keyhole() {
  local -a typed lines
  local line name quoted current word=\${COMP_WORDS[COMP_CWORD]}
  read -ra typed <<< "\${COMP_LINE:0:COMP_POINT}"
  [[ \${COMP_LINE:COMP_POINT-1:1} == [[:space:]] ]] && typed+=("")
  current=\${typed[\${#typed[@]}-1]}
  while IFS= read -r line; do lines+=("$line"); done < <(command keyhole complete -- "\${typed[@]:1}" 2>/dev/null)
  COMPREPLY=()
  for line in "\${lines[@]}"; do
    line=\${line%%$'\\t'*}
    case $line in
      :) ;;
      :files)
        compopt -o filenames 2>/dev/null && quoted=%s || quoted=%q
        while IFS= read -r name; do COMPREPLY+=("$(printf "$quoted" "$name")"); done < <(compgen -f -- "$word") ;;
      *) [[ $word != "$current" ]] && line=\${line#"\${current%"\${current##*[:=]}"}"}; COMPREPLY+=("$line") ;;
    esac
  done
}
complete -F _keyhole keyhole
`;

const ZSH = `#compdef keyhole
# keyhole completion for zsh
_keyhole() {
  local line name about
  local -a names shown
  for line in "\${(@f)$(command keyhole complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    name=\${line%%$'\\t'*}
    about=\${line#*$'\\t'}
    case $line in
      :|'') ;;
      :files) _files ;;
      *) names+=("$name"); shown+=("$name  $about") ;;
    esac
  done
  (( \${#names} )) && compadd -l -d shown -a names
}
if [ "$funcstack[1]" = "_keyhole" ]; then _keyhole "$@"; else compdef _keyhole keyhole; fi
`;

const FISH = `# keyhole completion for fish
function __keyhole_complete
    set -l typed (commandline -opc) (commandline -ct)
    for line in (command keyhole complete -- $typed[2..] 2>/dev/null)
        switch $line
            case ':'
            case ':files'
                __fish_complete_path (commandline -ct)
            case '*'
                echo $line
        end
    end
end
complete -c keyhole -f -a '(__keyhole_complete)'
`;

const POWERSHELL = `# keyhole completion for PowerShell
Register-ArgumentCompleter -Native -CommandName keyhole -ScriptBlock {
    param($word, $ast, $cursor)
    $typed = @($ast.CommandElements | Where-Object { $_.Extent.EndOffset -le $cursor } | ForEach-Object { $_.Extent.Text })
    if ($word -eq '') { $typed += '""' }
    $rest = @($typed | Select-Object -Skip 1 | ForEach-Object { $_.Trim('"', "'") })
    & (Get-Command keyhole -CommandType Application, ExternalScript | Select-Object -First 1) complete '--' @rest 2>$null | Where-Object { $_ -notlike ':*' } | ForEach-Object {
        $name, $about = $_ -split "\`t", 2
        if (-not $about) { $about = $name }
        [System.Management.Automation.CompletionResult]::new($name, $name, 'ParameterValue', $about)
    }
}
`;
