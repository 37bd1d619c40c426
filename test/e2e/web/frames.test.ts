/** How smoothly the page draws three hundred containers that change ten times a second in all. */
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {type BrowserSession, openBrowser} from '../../support/browser.ts'
import {type Fleet, launchFleet} from '../../support/fleet.ts'
import {measureFrames, percentile} from '../../support/frame-times.ts'
import {useNode} from '../../support/tally-node.ts'

const [containers, changesPerSecond, seconds] = [300, 10, 20]
const frameMs = 16

const node = useNode({args: ['--http', '127.0.0.1:0']})
let fleet: Fleet
let session: BrowserSession
beforeAll(async () => {
  fleet = await launchFleet(node, containers)
  session = await openBrowser(node)
})
afterAll(async () => {
  await session[Symbol.asyncDispose]()
  await fleet[Symbol.asyncDispose]()
})

describe(`${containers} containers that change ${changesPerSecond} times a second`, () => {
  it(`are drawn within ${frameMs} ms a frame, at the 95th percentile`, async () => {
    const {page} = session
    await page.getByText(`${containers} containers`).waitFor()
    const {processor, clock} = await measureFrames(page, async () => {
      const until = Date.now() + seconds * 1_000
      for (let at = Date.now(); at < until; at += 1_000 / changesPerSecond) {
        await fleet.change()
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, at + 1_000 / changesPerSecond - Date.now())))
      }
    })
    const show = (values: readonly number[]) => [0.5, 0.95, 0.99].map((share) => percentile(values, share).toFixed(1)).join(' / ')
    process.stdout.write(`${processor.length} frames, p50 / p95 / p99 in ms: processor ${show(processor)}, clock ${show(clock)}\n`)
    expect(processor.length).toBeGreaterThan(seconds)
    expect(percentile(processor, 0.95)).toBeLessThan(frameMs)
  })

  it('are scrolled through without one being missed', async () => {
    const {page} = session
    await page.getByLabel('Order').selectOption('name')
    await page.locator('[data-id="ship-001"]').waitFor()
    expect(await page.locator('.row').count()).toBeLessThan(40)
    await page.keyboard.press('Tab')
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)')
    await page.locator(`[data-id="ship-${containers}"]`).waitFor()
  })
})
