/** The style of a session's HTML file. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --text: #1b1d21; --faint: #666b76; --back: #fff; --box: #f4f5f7; --line: #dfe2e7; --user: #e8effd; --bad: #b3261e; --link: #1a56c4 }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e6ea; --faint: #9aa1ad; --back: #16181c; --box: #1f2228; --line: #33373f; --user: #1d2a44; --bad: #ff8a80; --link: #8ab4f8 }
}
body { margin: 0 auto; max-width: 52rem; padding: 1.5rem; background: var(--back); color: var(--text); font: 15px/1.55 system-ui, sans-serif }
h1 { font-size: 1.3rem; margin: 0 } h2 { font-size: 1rem; margin: 2rem 0 0 } h3 { font-size: .85rem; color: var(--faint); margin: 1rem 0 .4rem } h3 span { font-weight: 400; margin-left: .6rem } h4 { margin: 0; font: 600 .85rem ui-monospace, monospace }
header p, .facts, footer { color: var(--faint); font-size: .85rem; margin: .2rem 0 }
.user, .model, .call { border: 1px solid var(--line); border-radius: 8px; padding: .6rem .9rem; margin: .5rem 0 }
.user { background: var(--user) } .call { background: var(--box) }
.text { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere }
pre { margin: .3rem 0; white-space: pre-wrap; overflow-wrap: anywhere; font: .8rem/1.5 ui-monospace, monospace; max-height: 30rem; overflow: auto }
summary, .media { color: var(--faint); font-size: .85rem } .error { color: var(--bad); white-space: pre-wrap; overflow-wrap: anywhere }
a { color: var(--link) } h3 a { color: inherit; text-decoration: none } article:target { outline: 2px solid var(--link); outline-offset: 6px; border-radius: 4px }
.taken { border-left: 3px solid var(--link); padding-left: .8rem } .sources { font-size: .85rem } footer { margin-top: 2.5rem }
`;
