/** A real browser, let in to a node's page, that may ask nobody but that node for anything. */
import {existsSync} from 'node:fs'
import {type BrowserContextOptions, chromium, type Page} from 'playwright-core'
import {expect} from 'vitest'
import type {TallyNode} from './tally-node.ts'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path))
/** What it would do for itself, such as looking for a newer one, is not asked of the page, but is not wanted either. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]

export interface BrowserSession extends AsyncDisposable {
  readonly page: Page
  /** Of the node's page, without a path. */
  readonly origin: string
  /** What the page did that it must not, so far: asked another host, broke its content security policy, failed. */
  readonly faults: readonly string[]
}

/** @throws Error when there is no chromium; and at the end, when the page did what it must not */
export async function openBrowser(node: TallyNode, options: BrowserContextOptions = {}): Promise<BrowserSession> {
  if (!executablePath) throw new Error('expected chromium to be installed: apt-get install chromium')
  const {url} = await node.json<{readonly url: string}>('ui', '--no-open')
  const {origin} = new URL(url)
  const browser = await chromium.launch({executablePath, args})
  try {
    const context = await browser.newContext({viewport: {width: 1440, height: 900}, ...options})
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
        await browser.close()
        expect(faults).toEqual([])
      },
    }
  } catch (error) {
    await browser.close()
    throw error
  }
}
