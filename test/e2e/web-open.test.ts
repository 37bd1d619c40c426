import {chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, it} from 'vitest'
import type {UiReply} from '../../machines/views/view.ts'
import {startPtySession} from '../support/pty-session.ts'
import {eventually, useNode} from '../support/tally-node.ts'
import {ask} from '../support/visitor.ts'

const node = useNode({args: ['--http', '127.0.0.1:0']})

/** Its command line, as everybody can read it, is what it leaves. */
function makeBrowser(): {readonly PATH: string; readonly opened: string} {
  const bin = join(node.dir, 'bin')
  mkdirSync(bin, {recursive: true})
  const opened = join(node.dir, 'opened')
  writeFileSync(join(bin, 'xdg-open'), `#!/bin/sh\necho "$@" > ${opened}.new && mv ${opened}.new ${opened}\n`)
  chmodSync(join(bin, 'xdg-open'), 0o755)
  return {PATH: `${bin}:${process.env['PATH']}`, opened}
}

it('opens the page where there is a screen, with the token on no command line', async () => {
  const {PATH, opened} = makeBrowser()
  await using session = await startPtySession(`${join(import.meta.dirname, '../../bin/tally')} ui`, {
    env: {...node.env, PATH, DISPLAY: ':99'},
    columns: 200,
  })
  await session.waitFor(/http:\/\/127\.0\.0\.1:\d+\/login\?token=[\w-]{43}/)
  await eventually('opened', () => existsSync(opened))
  const file = readFileSync(opened, 'utf8').trim()
  expect(file).toBe(join(node.runDir, 'open-page.html'))
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const [, url = ''] = /url=([^"]+)"/.exec(readFileSync(file, 'utf8')) ?? []
  const {origin, pathname, search} = new URL(url)
  expect((await ask(origin, 'GET', `${pathname}${search}`)).status).toBe(303)
})

it('only prints the address where there is no screen, or with --no-open', async () => {
  rmSync(join(node.dir, 'opened'), {force: true})
  const {PATH, opened} = makeBrowser()
  const {stdout} = await node.tally('ui')
  expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/login\?token=[\w-]{43}\n$/)
  expect(await node.json<UiReply>('ui')).toEqual({url: expect.stringContaining('/login?token='), expiresAt: expect.any(String)})
  await using session = await startPtySession(`${join(import.meta.dirname, '../../bin/tally')} ui --no-open`, {
    env: {...node.env, PATH, DISPLAY: ':99'},
    columns: 200,
  })
  await session.waitFor(/token=/)
  await session.exited
  expect(existsSync(opened)).toBe(false)
})
