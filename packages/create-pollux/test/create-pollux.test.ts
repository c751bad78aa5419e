import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { emptyFolder, filesIn, runHere } from "./support/fake-terminal.ts";

const ENTER = "\r";
const DOWN = "\u001b[B";
const CONTROL_C = "\u0003";

describe("the command line", () => {
  test("--help explains it in 80 columns, and writes nothing", async () => {
    const cwd = emptyFolder();
    const { code, out, err } = await runHere(["--help"], { cwd });
    expect({ code, err, files: readdirSync(cwd) }).toEqual({ code: 0, err: "", files: [] });
    expect(out).toMatch(/^Usage: npm create pollux@latest \[FOLDER\]/);
    for (const option of [
      "--template",
      "--operator",
      "--package-manager",
      "--yes",
      "--no-install",
      "--help",
      "--version",
    ])
      expect(out).toContain(option);
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(await runHere(["-h", "my-agent", "-y"], { cwd })).toMatchObject({ code: 0, out });
  });

  test("--version prints the version of the package", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(await runHere(["--version"], { cwd: emptyFolder() })).toMatchObject({
      code: 0,
      out: `${version}\n`,
      err: "",
    });
  });

  test.each([
    [["--template", "desktop"], '--template must be one of terminal, web, library, not "desktop"'],
    [["--template", "toString"], '--template must be one of terminal, web, library, not "toString"'],
    [["-p", "cargo"], '--package-manager must be one of npm, pnpm, yarn, bun, not "cargo"'],
    [["chat", "--operator"], "--operator is for --template web"],
    [["chat", "--operator", "-t", "library"], "--operator is for --template web"],
    [["chat", "web"], 'Unexpected argument "web": name one folder, and with npm, put "--" in front of options'],
    [[""], "FOLDER must not be empty"],
    [["--tempalte", "web"], "Unknown option '--tempalte'"],
  ])("%j is refused", async (args, message) => {
    const cwd = emptyFolder();
    const { code, out, err } = await runHere(args, { cwd });
    expect({ code, out, files: readdirSync(cwd) }).toEqual({ code: 2, out: "", files: [] });
    expect(err).toContain(`create-pollux: ${message}`);
    expect(err).toMatch(/\nTry npm create pollux@latest -- --help\n$/);
  });
});

describe("the files", () => {
  const SHARED = [".gitignore", "AGENTS.md", "README.md", "package.json", "tsconfig.json"];
  const WEB = [
    ...SHARED,
    "evals/chat.eval.ts",
    "index.html",
    "page/main.tsx",
    "page/no-eval.ts",
    "server/agent.ts",
    "server/chats.ts",
    "server/main.ts",
    "server/serve-page.ts",
    "server/tools/book-table.ts",
    "server/tools/roll-dice.ts",
    "studio.ts",
    "test/agent.test.ts",
    "test/chats.test.ts",
    "test/roll-dice.test.ts",
    "vite.config.ts",
  ];
  const FILES = {
    terminal: [
      ...SHARED,
      "src/agent.ts",
      "src/main.ts",
      "src/studio.ts",
      "src/tools/roll-dice.ts",
      "test/agent.test.ts",
      "test/roll-dice.test.ts",
    ],
    web: WEB,
    "web --operator": [
      ...WEB,
      "page/operators.tsx",
      "server/operators.ts",
      "server/tools/refund.ts",
      "test/operators.test.ts",
    ],
    library: [
      ...SHARED,
      "apps/terminal/package.json",
      "apps/terminal/src/main.ts",
      "packages/dice-agent/package.json",
      "packages/dice-agent/src/dice-agent.ts",
      "packages/dice-agent/src/index.ts",
      "packages/dice-agent/src/tools/roll-dice.ts",
      "packages/dice-agent/test/dice-agent.test.ts",
      "packages/dice-agent/test/roll-dice.test.ts",
      "packages/dice-agent/tsconfig.build.json",
    ],
  } as const;

  test.each(Object.entries(FILES))("%s", async (template, files) => {
    const cwd = emptyFolder();
    const { code, out } = await runHere(["dice-2.0", "-t", ...template.split(" "), "-p", "npm", "--no-install"], {
      cwd,
    });
    expect(code).toBe(0);
    const said = template.replace(" --operator", " with a page for operators");
    expect(out).toMatch(new RegExp(`^Wrote ${files.length} files to dice-2.0: template ${said}, for npm.\n`));
    expect(filesIn(join(cwd, "dice-2.0"))).toEqual([...files].toSorted((a, b) => (a < b ? -1 : 1)));
    for (const file of files) {
      const text = readFileSync(join(cwd, "dice-2.0", file), "utf8");
      expect(text, file).not.toMatch(/my-agent|\r| (?:if|end) \*\/| if (?:no )?operator/);
      if (!template.includes("operator") && file !== "AGENTS.md")
        expect(text, file).not.toMatch(/operator(?!Handler)/i);
      if (file.endsWith("package.json")) expect(Object.values(dependenciesIn(text)), file).not.toContain("");
    }
    expect(readFileSync(join(cwd, "dice-2.0/README.md"), "utf8")).toMatch(/^# dice-2\.0\n/);
    expect(JSON.parse(readFileSync(join(cwd, "dice-2.0/package.json"), "utf8"))).toMatchObject({ name: "dice-2.0" });
  });

  test.each([
    ["npm", [], ["packages/*", "apps/*"], "*", "npm start", "npm run typecheck"],
    ["pnpm", ["pnpm-workspace.yaml"], undefined, "workspace:*", "pnpm start", "pnpm typecheck"],
    ["yarn", [".yarnrc.yml"], ["packages/*", "apps/*"], "*", "yarn start", "yarn typecheck"],
    ["bun", [], ["packages/*", "apps/*"], "*", "bun run start", "bun run typecheck"],
  ])("are those of a workspace of %s", async (packageManager, added, workspaces, sibling, start, check) => {
    const cwd = emptyFolder();
    const { out } = await runHere(["dice", "-t", "library", "-p", packageManager, "--no-install"], { cwd });
    const folder = join(cwd, "dice");
    const read = (file: string): string => readFileSync(join(folder, file), "utf8");
    expect(filesIn(folder)).toEqual([...FILES.library, ...added].toSorted());
    expect(JSON.parse(read("package.json")).workspaces).toEqual(workspaces);
    expect(dependenciesIn(read("apps/terminal/package.json"))["@dice/dice-agent"]).toBe(sibling);
    for (const text of [read("README.md"), read("AGENTS.md")]) {
      expect(text).toContain(start);
      expect(text).toContain(check);
    }
    expect(out).toContain(`  ${start} `);
    expect(out).toContain(`  ${packageManager} install\n`);
  });

  test.each(
    ["pnpm", "yarn", "bun"].flatMap((manager) => Object.keys(FILES).map((template) => [manager, template] as const)),
  )("of %s, %s, have no command of npm", async (packageManager, template) => {
    const cwd = emptyFolder();
    await runHere(["dice", "-t", ...template.split(" "), "-p", packageManager, "--no-install"], { cwd });
    for (const file of filesIn(join(cwd, "dice")))
      expect(readFileSync(join(cwd, "dice", file), "utf8"), file).not.toMatch(/\b(?:npm|npx)\b/);
  });

  test("of a web chat are at most 155 lines of server, tools and page", async () => {
    const cwd = emptyFolder();
    await runHere(["dice", "-t", "web", "--no-install"], { cwd });
    const own = filesIn(join(cwd, "dice")).filter((file) => /^(?:server|page)\//.test(file));
    // Comments, blank lines and imports included.
    const lines = own.flatMap((file) =>
      readFileSync(join(cwd, "dice", file), "utf8")
        .trimEnd()
        .split("\n"),
    );
    expect(lines.length).toBeLessThanOrEqual(155);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(120);
  });

  test.each(Object.keys(FILES))("of %s list what their dependencies want beside them", async (template) => {
    // Yarn installs nothing that is not listed.
    const cwd = emptyFolder();
    await runHere(["dice", "-t", ...template.split(" "), "--no-install"], { cwd });
    const manifests = filesIn(join(cwd, "dice")).filter((file) => file.endsWith("package.json"));
    const listed = Object.assign(
      {},
      ...manifests.map((file) => dependenciesIn(readFileSync(join(cwd, "dice", file), "utf8"))),
    );
    const wanted = Object.keys(listed)
      .filter((name) => !name.startsWith("@dice/"))
      .flatMap((name) => {
        const installed = new URL(`../node_modules/${name}/package.json`, import.meta.url);
        const { peerDependencies = {}, peerDependenciesMeta = {} } = JSON.parse(readFileSync(installed, "utf8"));
        return Object.keys(peerDependencies).filter((peer) => peerDependenciesMeta[peer]?.optional !== true);
      });
    expect(wanted).toContain("vite");
    expect(Object.keys(listed)).toEqual(expect.arrayContaining(wanted));
  });

  function dependenciesIn(manifest: string): Readonly<Record<string, string>> {
    const { dependencies, devDependencies } = JSON.parse(manifest) as Record<string, Record<string, string>>;
    return { ...dependencies, ...devDependencies };
  }
});

describe("the questions", () => {
  test("are answered by a name, the arrow keys and Enter", async () => {
    const cwd = emptyFolder();
    const keys = [`chat${ENTER}`, DOWN, ENTER, ENTER, DOWN, ENTER];
    const { code, out, ran } = await runHere([], { cwd, keys });
    expect(code).toBe(0);
    expect(out).toContain("What is it called?");
    expect(out).toContain("What do you want to build?");
    expect(out).toContain("With a page where operators approve calls?");
    expect(out).toContain("Which package manager?");
    expect(out).toMatch(/Wrote 20 files to chat: template web, for pnpm\.\n/);
    expect(ran).toEqual([["pnpm install", "chat"]]);
  });

  test("ask about the page of operators for a web chat only, unless the command line says it", async () => {
    const asked = await runHere(["chat", "-t", "web"], { cwd: emptyFolder(), keys: ["y", ENTER] });
    expect(asked.out).toMatch(/Wrote 24 files to chat: template web with a page for operators, for npm\.\n/);
    const said = await runHere(["chat", "-t", "web", "--operator"], { cwd: emptyFolder(), keys: [ENTER] });
    expect(said.out).not.toContain("With a page");
    expect(said.out).toMatch(/template web with a page for operators/);
    const terminal = await runHere(["chat", "-t", "terminal"], { cwd: emptyFolder(), keys: [ENTER] });
    expect(terminal.out).not.toContain("With a page");
  });

  test("suggest the package manager that started the program", async () => {
    const cwd = emptyFolder();
    const env = { npm_config_user_agent: "yarn/4.9.1 npm/? node/v24.1.0 linux x64" };
    const { ran } = await runHere(["chat"], { cwd, env, keys: [ENTER, ENTER] });
    expect(ran).toEqual([["yarn install", "chat"]]);
  });

  test("pass over package managers that are not installed", async () => {
    const cwd = emptyFolder();
    const { code, out, ran } = await runHere([], { cwd, keys: [ENTER, ENTER, DOWN, ENTER], installed: ["npm", "bun"] });
    expect(code).toBe(0);
    expect(out).toContain("pnpm (not installed)");
    expect(out).toContain("yarn (not installed)");
    expect(ran).toEqual([["bun install", "my-agent"]]);
  });

  test("offer every package manager where nothing is installed by them", async () => {
    const cwd = emptyFolder();
    const { code, out } = await runHere(["--no-install"], {
      cwd,
      keys: [ENTER, ENTER, DOWN, ENTER],
      installed: ["npm"],
    });
    expect(code).toBe(0);
    expect(out).not.toContain("not installed");
    expect(out).toMatch(/template terminal, for pnpm\.\n/);
  });

  test("say what is wrong with a name, and ask again", async () => {
    const cwd = emptyFolder();
    mkdirSync(join(cwd, "my-agent"));
    writeFileSync(join(cwd, "my-agent/notes.txt"), "");
    const { code, out, ran } = await runHere([], {
      cwd,
      keys: [ENTER, `My Chat${ENTER}`, `${"\b".repeat(7)}chat${ENTER}`, ENTER, ENTER],
    });
    expect(code).toBe(0);
    expect(out).toContain("The folder my-agent is not empty");
    expect(out).toContain("such as my-chat");
    expect(ran).toEqual([["npm install", "chat"]]);
  });

  test("are not asked where the command line says it", async () => {
    const { out, ran } = await runHere(["chat", "-t", "terminal"], { cwd: emptyFolder(), keys: [ENTER] });
    expect(out).not.toContain("What do you want to build?");
    expect(ran).toEqual([["npm install", "chat"]]);
    const yes = await runHere(["chat", "-y"], { cwd: emptyFolder(), keys: [] });
    expect(yes).toMatchObject({ code: 0, ran: [["npm install", "chat"]] });
    expect(yes.out).toMatch(/^Wrote 11 files to chat: template terminal, for npm\.\n/);
  });

  test("are not asked where there is no terminal", async () => {
    const env = { npm_config_user_agent: "bun/1.4.5 npm/? node/v24.1.0 linux x64" };
    const { code, out, ran } = await runHere([], { cwd: emptyFolder(), env });
    expect({ code, ran }).toEqual({ code: 0, ran: [["bun install", "my-agent"]] });
    expect(out).toMatch(/^Wrote 11 files to my-agent: template terminal, for bun\.\n/);
  });

  test.each([[[CONTROL_C]], [[ENTER, CONTROL_C]], [[ENTER, ENTER, CONTROL_C]]])(
    "leave nothing behind after Ctrl-C: %j",
    async (keys) => {
      const cwd = emptyFolder();
      const { code, err } = await runHere([], { cwd, keys });
      expect({ code, err, files: readdirSync(cwd) }).toEqual({ code: 1, err: "Nothing was written.\n", files: [] });
    },
  );
});

describe("the folder", () => {
  test.each([
    [["notes.txt"], "notes.txt"],
    [["a", "b", "c", "d", "e", "f", "g"], "a, b, c, d, e and 2 more"],
    [[".env", ".git"], ".env"],
  ])("is refused if it has files: %j", async (files, says) => {
    const cwd = join(emptyFolder(), "chat");
    mkdirSync(cwd);
    for (const file of files) writeFileSync(join(cwd, file), "mine");
    const { code, out, err } = await runHere([".", "-y"], { cwd });
    const message = `create-pollux: The folder . is not empty: it contains ${says}. Choose another, or empty it\n`;
    expect({ code, out, err }).toEqual({ code: 1, out: "", err: message });
    expect(filesIn(cwd)).toEqual(files);
  });

  test("is refused if it is a file", async () => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, "chat"), "mine");
    const { code, err } = await runHere(["chat", "-y"], { cwd });
    expect({ code, err }).toEqual({ code: 1, err: "create-pollux: chat is a file; choose another folder\n" });
  });

  test("may be the current one, or deep, or a new repository", async () => {
    const cwd = emptyFolder();
    const deep = join(cwd, "deep/chat");
    expect(await runHere(["deep/chat", "-y"], { cwd })).toMatchObject({ code: 0, ran: [["npm install", "deep/chat"]] });
    expect(filesIn(deep)).toHaveLength(11);

    mkdirSync(join(cwd, "repository/.git"), { recursive: true });
    const here = await runHere([".", "-y"], { cwd: join(cwd, "repository") });
    expect(here).toMatchObject({ code: 0, ran: [["npm install", ""]] });
    expect(here.out).toMatch(/^Wrote 11 files to this folder:/);
    expect(here.out).not.toContain("cd ");
  });

  test.each([
    ["My Chat", "such as my-chat"],
    ["_private", "such as private"],
    ["-", "between them\n"],
    ["über", "such as ber"],
    ["a".repeat(215), "at most 214"],
  ])("has a name that a package can have, unlike %j", async (name, says) => {
    const cwd = emptyFolder();
    const { code, err } = await runHere(["-y", "--", name], { cwd });
    expect({ code, files: readdirSync(cwd) }).toEqual({ code: 1, files: [] });
    expect(err).toContain("cannot name a package");
    expect(err).toContain(says);
  });

  test.each(["zod", "vitest", "node_modules"])("is not called like a package: %s", async (name) => {
    const { code, err } = await runHere([name, "-y"], { cwd: emptyFolder() });
    expect(code).toBe(1);
    expect(err).toContain(`cannot be called "${name}"`);
  });
});

describe("the install", () => {
  test("leaves a complete project if it fails, and says how to go on", async () => {
    const cwd = emptyFolder();
    const { code, out, err } = await runHere(["chat", "-y", "-p", "pnpm"], { cwd, exitCode: 1 });
    expect({ code, err }).toEqual({ code: 1, err: "\npnpm install failed. The project itself is complete.\n" });
    expect(out).toMatch(/ {2}cd chat\n {2}pnpm install\n {2}pnpm start /);
    expect(filesIn(join(cwd, "chat"))).toHaveLength(11);
  });

  test("names the package manager that is missing", async () => {
    const { code, err } = await runHere(["chat", "-p", "yarn"], { cwd: emptyFolder(), installed: [] });
    expect(code).toBe(1);
    expect(err).toContain("yarn was not found: install it, or choose another with --package-manager.");
  });

  test("is left out by --no-install", async () => {
    const { code, out, ran } = await runHere(["chat", "--no-install"], { cwd: emptyFolder() });
    expect({ code, ran }).toEqual({ code: 0, ran: [] });
    expect(out).toMatch(/Next:\n\n {2}cd chat\n {2}npm install\n {2}npm start {5}chats with the agent\n/);
  });
});
