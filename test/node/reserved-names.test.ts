import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ALWAYS_RESERVED, isReserved, reservationOf, whyReserved } from "../../src/contract/reserved-name.ts";
import { RESERVED } from "../../src/contract/reserved-names.ts";
import type { SecretName } from "../../src/contract/secret-name.ts";

/** What a writer of one scope could have the next `keyhole run` do, by the names that do it. Written down apart from the list. */
const ATTACKS: Record<string, string> = {
  "run a library in every program": "LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT DYLD_INSERT_LIBRARIES GCONV_PATH GLIBC_TUNABLES LOCPATH MALLOC_TRACE GTK_MODULES",
  "be found first": "PATH HOME SHELL TMPDIR XDG_CONFIG_HOME",
  "run when a shell starts or shows its prompt": "ENV BASH_ENV BASH_FUNC_ls PROMPT_COMMAND PS1 PS4 SHELLOPTS BASHOPTS ZDOTDIR FPATH IFS NULLCMD",
  "be the editor or the pager": "EDITOR VISUAL PAGER BROWSER MANPAGER LESSOPEN LESSCLOSE VIMINIT EXINIT SYSTEMD_PAGER PSQLRC SUDO_EDITOR",
  "be an argument of a tool": "TAR_OPTIONS GREP_OPTIONS RSYNC_RSH FZF_DEFAULT_COMMAND ZIPOPT CURL_HOME WGETRC NETRC AWKPATH TERMINFO TERMCAP INPUTRC",
  "run in git and ssh":
    "GIT_SSH GIT_SSH_COMMAND GIT_EXTERNAL_DIFF GIT_ASKPASS GIT_PAGER GIT_EDITOR GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_GLOBAL GIT_EXEC_PATH GIT_TEMPLATE_DIR GIT_DIR SSH_ASKPASS SSH_AUTH_SOCK SVN_SSH CVS_RSH HGEDITOR",
  "load a module":
    "NODE_OPTIONS NODE_PATH PYTHONPATH PYTHONSTARTUP PYTHONWARNINGS PYTHONBREAKPOINT PYTHONHOME PERL5OPT PERL5LIB PERL5DB RUBYOPT RUBYLIB LUA_INIT LUA_INIT_5_4 LUA_PATH LUA_CPATH R_PROFILE R_ENVIRON_USER PHPRC PHP_INI_SCAN_DIR ERL_FLAGS ERL_AFLAGS ELIXIR_ERL_OPTIONS JULIA_LOAD_PATH GHC_PACKAGE_PATH TCLLIBPATH OCAMLPATH",
  "load a virtual machine's agent":
    "JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS _JAVA_OPTIONS JAVA_OPTS JAVA_HOME CLASSPATH DOTNET_STARTUP_HOOKS CORECLR_PROFILER COR_PROFILER_PATH COMPLUS_VERSION",
  "change a build":
    "MAKEFLAGS CC CXX LDFLAGS GOFLAGS GOPROXY GOENV CGO_LDFLAGS RUSTC_WRAPPER RUSTFLAGS CARGO_HOME CARGO_BUILD_RUSTC_WRAPPER CARGO_TARGET_X_RUNNER CMAKE_TOOLCHAIN_FILE",
  "change where packages come from":
    "NPM_CONFIG_REGISTRY NPM_CONFIG_SCRIPT_SHELL YARN_YARN_PATH PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_CONFIG_FILE UV_INDEX_URL UV_DEFAULT_INDEX BUNDLE_GEMFILE GEM_HOME COMPOSER_HOME MAVEN_OPTS GRADLE_OPTS SBT_OPTS CARGO_SOURCE_X_REPLACE_WITH CARGO_REGISTRIES_X_CREDENTIAL_PROVIDER",
  "stand in between":
    "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY FTP_PROXY SSL_CERT_FILE SSL_CERT_DIR NODE_EXTRA_CA_CERTS REQUESTS_CA_BUNDLE CURL_CA_BUNDLE OPENSSL_CONF SSLKEYLOGFILE NODE_TLS_REJECT_UNAUTHORIZED AWS_CA_BUNDLE",
  "change which cloud is asked, and by what command":
    "KUBECONFIG DOCKER_HOST DOCKER_CONFIG AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE CLOUDSDK_PYTHON CLOUDSDK_CONFIG TF_CLI_CONFIG_FILE HELM_PLUGINS ANSIBLE_LIBRARY AZURE_CONFIG_DIR RESTIC_PASSWORD_COMMAND",
  "be another Keyhole": "KEYHOLE_URL KEYHOLE_TOKEN KEYHOLE_TRUST ACTIONS_ID_TOKEN_REQUEST_URL",
};

describe("a variable that is reserved always", () => {
  it.each(Object.entries(ATTACKS))("is every one with which a secret could %s", (_, names) => {
    for (const name of names.split(" ")) {
      expect(whyReserved(name as SecretName, []), name).toMatch(/ is reserved by the pattern \S+ in Keyhole's own list \(.+\)\.$/);
      // In small letters it is another name, and the same variable.
      expect(whyReserved(name.toLowerCase() as SecretName, []), name).toBeUndefined();
      expect(isReserved(name.toLowerCase() as SecretName, []), name).toBe(true);
    }
  });

  it("is none of those that people keep as secrets, or that only say which server is asked", () => {
    const kept =
      "OPENAI_API_KEY OPENAI_BASE_URL S3_ENDPOINT DATABASE_URL PGPASSWORD GITHUB_TOKEN NPM_TOKEN YARN_NPM_AUTH_TOKEN UV_PUBLISH_TOKEN CARGO_REGISTRY_TOKEN COMPOSER_AUTH BUNDLE_GEMS__EXAMPLE__COM POETRY_PYPI_TOKEN_PYPI DOCKER_AUTH_CONFIG DOCKER_PASSWORD TF_VAR_password HOMEBREW_GITHUB_API_TOKEN VAULT_TOKEN USERNAME PASSWORD PROMPT GIT_TOKEN JAVA_KEYSTORE_PASSWORD ORG_GRADLE_PROJECT_signingKey PATHS ENVIRONMENT";
    for (const name of kept.split(" ")) expect(whyReserved(name as SecretName, []), name).toBeUndefined();
    for (const name of kept.split(" ")) expect(reservationOf(name.toUpperCase()), name).toBeUndefined();
  });

  it("is in the list once, in capital letters, and has a star only at its end", () => {
    expect(ALWAYS_RESERVED.filter((pattern) => !/^[A-Z_][A-Z0-9_]*\*?$/.test(pattern))).toEqual([]);
    const covered = ALWAYS_RESERVED.filter((pattern, n) => ALWAYS_RESERVED.some((other, m) => n !== m && reservationOf(pattern)?.pattern === other));
    expect([covered, new Set(ALWAYS_RESERVED).size]).toEqual([[], ALWAYS_RESERVED.length]);
  });

  it("is in docs/reserved-names.md, with the reason", () => {
    const path = join(import.meta.dirname, "../../docs/reserved-names.md");
    const written = readFileSync(path, "utf8");
    const [head = ""] = written.split("| category |");
    const rows = RESERVED.map(({ category, why, source, names }) => {
      const listed = names.split(/\s+/).map((name) => `\`${name}\``);
      return `| ${category} | they ${why} | ${listed.join(" ")} | ${source} |`;
    });
    const expected = `${head}${["| category | why | names | source |", "| --- | --- | --- | --- |", ...rows].join("\n")}\n`;
    if (process.env.UPDATE_TRANSCRIPTS) writeFileSync(path, expected);
    else expect(written).toBe(expected);
  });
});
