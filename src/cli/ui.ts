/** `ui`: opens the web page of the node in a browser. The address is valid for one login. */
import {spawn} from 'node:child_process'
import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Command} from 'commander'
import {printJson} from './print.ts'
import {addVerb, withClient} from './verb.ts'

export function addUi(program: Command): void {
  addVerb(program, 'ui', 'open the web page of the node in a browser, and print its address, which is valid for one login')
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

/** The address is passed in a file with mode 0600: other users can read command lines, and the token gives root on the node. */
function openPage(url: string, runDir: string): void {
  const file = join(runDir, 'open-page.html')
  writeFileSync(file, `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=${url}">\n`, {mode: 0o600})
  const child = spawn('xdg-open', [file], {detached: true, stdio: 'ignore'})
  // Without such a program the user opens the printed address.
  child.once('error', () => {})
  child.unref()
}
