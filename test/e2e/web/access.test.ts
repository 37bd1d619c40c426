/** That the page can be used by everybody: roles, names, contrast, as far as a program can tell (axe-core, WCAG 2.1 AA). */
import {readFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import type {Page} from 'playwright-core'
import {beforeAll, describe, expect, it} from 'vitest'
import {openBrowser} from '../../support/browser.ts'
import {useNode} from '../../support/tally-node.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const node = useNode({args: ['--http', '127.0.0.1:0']})
beforeAll(async () => {
  const run = (name: string, ...command: readonly string[]) => node.tally('run', '-d', '--name', name, '--rootfs', node.rootfs, ...command)
  await run('alive', 'sh', '-c', 'printf "\\033[33mcolour\\033[0m\\n"; echo wrong >&2; exec sleep 600')
  await run('failed', 'sh', '-c', 'exit 7')
  await node.tally('exec', '-d', '--id', 'added', 'alive', 'sleep', '600')
})

/** One line a fault: the rule, and what breaks it. */
async function findFaults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe)
  return await page.evaluate(`axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}).then(({violations}) =>
    violations.flatMap(({id, nodes}) => nodes.map(({html}) => id + ': ' + html.slice(0, 200))))`)
}

describe.each(['light', 'dark'] as const)('in %s colours, for everybody', (colorScheme) => {
  it('shows the list of containers', async () => {
    await using session = await openBrowser(node, {colorScheme, reducedMotion: 'reduce'})
    const {page} = session
    await page.locator('[data-id="failed"]').getByText('exit 7', {exact: true}).waitFor()
    expect(await findFaults(page)).toEqual([])
    await page.keyboard.press('?')
    await page.getByRole('dialog').waitFor()
    expect(await findFaults(page)).toEqual([])
  })

  it('shows a container: its past, each of its parts, and the dialog before a command', async () => {
    await using session = await openBrowser(node, {colorScheme, reducedMotion: 'reduce'})
    const {page, origin} = session
    await page.goto(`${origin}/c/n1/default/failed?at=3`)
    await page.getByText('In the past').waitFor()
    expect(await findFaults(page)).toEqual([])
    await page.goto(`${origin}/c/n1/default/alive`)
    for (const tab of ['Output', 'Terminal', 'Processes', 'Context', 'Supervisor']) {
      await page.getByRole('tab', {name: tab}).click()
      await page.getByRole('tabpanel').waitFor()
      expect(await findFaults(page), tab).toEqual([])
    }
    await page.getByRole('button', {name: 'Signal…'}).click()
    await page.getByRole('dialog').waitFor()
    expect(await findFaults(page)).toEqual([])
  })
})
