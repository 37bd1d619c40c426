/** `ui`: opens the node's page in a browser. The address is good for one login, whoever is first. */
import {spawn} from 'node:child_process'
import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Command} from 'commander'
import {printJson} from './print.ts'
import {addVerb, withClient} from './verb.ts'

export function addUi(program: Command): void {
  addVerb(program, 'ui', "open the node's page in a browser, and print its address, which is good for one login")
    .option('--no-open', 'only print the address')
    .action(async ({open}: {readonly open: boolean}, command: Command) => {
      await withClient(command, async (client, {json, runDir}) => {
        const reply = await client.ui()
        if (json) printJson(reply)
        else console.log(reply.url)
        if (open && hasScreen()) openPage(reply.url, runDir)
      })
    })
}

function hasScreen(): boolean {
  return process.stdin.isTTY === true && ['DISPLAY', 'WAYLAND_DISPLAY'].some((name) => process.env[name])
}

/** By way of a file that is ours alone: everybody can read the command lines of others, and the first to use the token has the node. */
function openPage(url: string, runDir: string): void {
  const file = join(runDir, 'open-page.html')
  writeFileSync(file, `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=${url}">\n`, {mode: 0o600})
  const child = spawn('xdg-open', [file], {detached: true, stdio: 'ignore'})
  // There may be no such program: the address has been printed.
  child.once('error', () => {})
  child.unref()
}
