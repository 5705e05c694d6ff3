/**
 * A command as one line for the shell of the system. Node joins arguments with spaces and nothing else where it runs a shell,
 * which is how Windows finds what is no program but a script (`npm.cmd`): one with a space would be two, and one with `&` a command.
 */
export function shellLine(words) {
  return words.map(quoted).join(" ");
}

/** For cmd.exe and for what reads its line: two quotes are one to both, and a backslash counts only before a quote. */
function quoted(word) {
  if (/^[\w.:=/\\@,+-]+$/.test(word)) return word;
  return `"${word.replaceAll(/(\\*)"/g, '$1$1""').replace(/\\+$/, "$&$&")}"`;
}
