/** A real browser that is logged in to a node's page, and that may send requests to that node alone. */
import {existsSync} from 'node:fs'
import {type Browser, type BrowserContextOptions, chromium, type Page} from 'playwright-core'
import {afterAll, expect} from 'vitest'
import type {TallyNode} from './tally-node.ts'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path))
/** Without what it does for itself, such as looking for updates: those requests are not of the page. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]

/** For all sessions of a file of tests, since it needs a second or more to start. */
let launched: Promise<Browser> | undefined
afterAll(async () => {
  await (await launched)?.close()
})

export interface BrowserSession extends AsyncDisposable {
  readonly page: Page
  /** Of the node's page, without a path. */
  readonly origin: string
  /** What the page did that it must not, so far: asked another host, broke its content security policy, failed. */
  readonly faults: readonly string[]
}

/** With cookies and storage of its own. @throws Error when there is no chromium; and at the end, when the page did what it must not */
export async function openBrowser(node: TallyNode, options: BrowserContextOptions = {}): Promise<BrowserSession> {
  if (!executablePath) throw new Error('expected chromium to be installed: apt-get install chromium')
  const {url} = await node.json<{readonly url: string}>('ui', '--no-open')
  const {origin} = new URL(url)
  launched ??= chromium.launch({executablePath, args})
  const context = await (await launched).newContext({viewport: {width: 1440, height: 900}, ...options})
  context.setDefaultTimeout(60_000)
  try {
    const page = await context.newPage()
    const faults: string[] = []
    context.on('request', (request) => {
      const asked = new URL(request.url())
      if (asked.host !== new URL(origin).host && asked.protocol !== 'data:') faults.push(`asked ${asked.origin}`)
    })
    page.on('pageerror', (error) => faults.push(String(error.stack)))
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) faults.push(message.text())
    })
    await page.goto(url)
    return {
      page,
      origin,
      faults,
      [Symbol.asyncDispose]: async () => {
        await context.close()
        expect(faults).toEqual([])
      },
    }
  } catch (error) {
    await context.close()
    throw error
  }
}
