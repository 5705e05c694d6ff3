import { matches, type Pattern } from "./pattern.ts";
import { envName, type SecretName } from "./secret-name.ts";

/**
 * Variables that no secret may become, because they decide which code a process runs: the search path and the
 * user's identity, and what loaders, shells, interpreters and git read before or instead of the program itself.
 */
export const ALWAYS_RESERVED = [
  ...["PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "OLDPWD", "IFS", "ENV", "CDPATH", "TMPDIR", "UID", "EUID", "PPID"],
  ...["LD_*", "DYLD_*", "GCONV_PATH", "GLIBC_TUNABLES", "MALLOC_*"],
  ...["BASH_ENV", "BASH_FUNC_*", "BASHOPTS", "SHELLOPTS", "PS4", "PROMPT_COMMAND", "ZDOTDIR"],
  ...["NODE_OPTIONS", "NODE_PATH", "NODE_REPL_EXTERNAL_MODULE", "ELECTRON_RUN_AS_NODE", "BUN_OPTIONS"],
  ...["NPM_CONFIG_NODE_OPTIONS", "NPM_CONFIG_SCRIPT_SHELL", "NPM_CONFIG_SHELL", "NPM_CONFIG_GIT", "NPM_CONFIG_USERCONFIG", "NPM_CONFIG_GLOBALCONFIG"],
  ...["MAKEFLAGS", "GOFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "BUNDLE_GEMFILE", "R_PROFILE*", "R_ENVIRON*", "JULIA_LOAD_PATH"],
  ...["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONBREAKPOINT", "PYTHONWARNINGS", "PYTHONUSERBASE"],
  ...["PERL5OPT", "PERL5LIB", "PERLLIB", "PERL5DB", "PERL5SHELL", "RUBYOPT", "RUBYLIB", "LUA_INIT*", "LUA_PATH*", "LUA_CPATH*", "PHPRC", "PHP_INI_SCAN_DIR"],
  ...["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH", "DOTNET_STARTUP_HOOKS", "CORECLR_*", "COR_*"],
  ...["GIT_SSH", "GIT_SSH_COMMAND", "GIT_EXEC_PATH", "GIT_EXTERNAL_DIFF", "GIT_PROXY_COMMAND", "GIT_ASKPASS", "SSH_ASKPASS"],
  ...["GIT_CONFIG*", "GIT_TEMPLATE_DIR", "GIT_PAGER", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR", "LESSOPEN", "LESSCLOSE", "OPENSSL_CONF", "OPENSSL_MODULES"],
] as unknown as readonly Pattern[];

/** The pattern of `patterns` that a secret's environment name falls under, or `undefined`. */
export function reservingPattern(patterns: readonly Pattern[], name: SecretName): Pattern | undefined {
  const variable = envName(name);
  return patterns.find((pattern) => matches(pattern, variable));
}
