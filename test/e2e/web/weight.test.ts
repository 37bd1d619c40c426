/** How much a browser has to load before it shows anything, and how soon it does. */
import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {gzipSync} from 'node:zlib'
import {describe, expect, it} from 'vitest'
import {openBrowser} from '../../support/browser.ts'
import {useNode} from '../../support/tally-node.ts'

const web = join(import.meta.dirname, '../../../dist/web')
const largestBytes = 300_000
const node = useNode({args: ['--http', '127.0.0.1:0']})

describe('the page', () => {
  it(`is at most ${largestBytes} bytes, compressed, with fonts and styles, without the terminal`, () => {
    const names = readdirSync(join(web, 'assets')).filter((name) => !name.startsWith('screen-'))
    expect(names.some((name) => /^page-\w+\.js$/.test(name))).toBe(true)
    const files = [join(web, 'index.html'), ...names.map((name) => join(web, 'assets', name))]
    const bytes = files.map((file) => gzipSync(readFileSync(file)).length).reduce((sum, size) => sum + size, 0)
    process.stdout.write(`the page: ${bytes} bytes\n`)
    expect(bytes).toBeLessThan(largestBytes)
  })

  it('loads no terminal before one is opened, and paints soon', async () => {
    await using session = await openBrowser(node)
    const {page} = session
    await page.getByText('No containers').waitFor()
    // Once more, on a browser that has settled.
    await page.reload()
    await page.getByText('No containers').waitFor()
    const loaded: readonly string[] = await page.evaluate('performance.getEntriesByType("resource").map(({name}) => name)')
    expect(loaded.some((name) => name.includes('/assets/page-'))).toBe(true)
    expect(loaded.filter((name) => name.includes('/assets/screen-'))).toEqual([])
    const paintMs: number = await page.evaluate('performance.getEntriesByName("first-contentful-paint")[0].startTime')
    process.stdout.write(`first paint: ${Math.round(paintMs)} ms\n`)
    // By the clock, on a machine that may have other things to do.
    expect(paintMs).toBeLessThan(5_000)
  })
})
