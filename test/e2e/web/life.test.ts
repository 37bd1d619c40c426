/** The page in a real browser, on a real node: a container is followed through its life, and back. */
import type {Page} from 'playwright-core'
import {describe, expect, it} from 'vitest'
import {openBrowser} from '../../support/browser.ts'
import {eventually, useNode} from '../../support/tally-node.ts'

const node = useNode({args: ['--http', '127.0.0.1:0']})

const lit = (page: Page, state: string) => page.locator(`[data-chart="container"] [data-state="${state}"][data-active="true"]`)

async function run(name: string, ...command: readonly string[]): Promise<void> {
  expect(await node.tally('run', '-d', '--name', name, '--rootfs', node.rootfs, ...command)).toMatchObject({exitCode: 0})
}

describe('a container in the page', () => {
  it('is lit as it goes, from created to running to stopped, and when it is gone back to', async () => {
    await using session = await openBrowser(node)
    const {page} = session
    await page.getByText('No containers').waitFor()
    expect(await node.tally('create', '--name', 'lit', '--rootfs', node.rootfs, 'sleep', '600')).toMatchObject({exitCode: 0})

    await page.locator('[data-id="lit"] [data-state="created"]').waitFor()
    await page.getByRole('link', {name: 'lit', exact: true}).first().click()
    await lit(page, 'created').waitFor()

    await page.getByRole('button', {name: 'Start'}).click()
    await lit(page, 'running').waitFor()
    await lit(page, 'running.execution.active').waitFor()
    expect(await lit(page, 'created').count()).toBe(0)
    await page.locator('[data-edge="starting→running"][data-edge-state="last"]').waitFor()

    await page.getByRole('button', {name: 'Stop…'}).click()
    await page.getByLabel('Seconds until SIGKILL').fill('0')
    await page.getByRole('button', {name: 'Stop', exact: true}).click()
    await lit(page, 'stopped').waitFor()
    await page.getByText('SIGKILL', {exact: true}).first().waitFor()

    await page.getByRole('button', {name: 'One event back'}).click()
    await lit(page, 'running.stop.killing').waitFor()
    await page.keyboard.press('Home')
    await lit(page, 'creating').waitFor()
    for (const step of ['created', 'starting', 'running']) {
      await page.keyboard.press('ArrowRight')
      await lit(page, step).waitFor()
    }
    expect(page.url()).toMatch(/\/c\/n1\/default\/lit\?at=4$/)
    for (const key of ['Home', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowLeft', 'ArrowRight']) await page.keyboard.press(key)
    expect(page.url()).toMatch(/\?at=4$/)
    await page.getByText('In the past').waitFor()
    expect(await page.getByRole('group', {name: 'Commands'}).count()).toBe(0)

    await page.reload()
    await lit(page, 'running').waitFor()
    await page.keyboard.press('End')
    await lit(page, 'stopped').waitFor()
  })

  it('is played from its first event until now', async () => {
    await using session = await openBrowser(node)
    const {page, origin} = session
    await page.goto(`${origin}/c/n1/default/lit`)
    await lit(page, 'stopped').waitFor()
    await page.keyboard.press(' ')
    await lit(page, 'creating').waitFor()
    await lit(page, 'running').waitFor()
    await lit(page, 'stopped').waitFor()
    await page.getByText('Latest event').waitFor()
  })

  it('says why what was asked of it is refused', async () => {
    await using session = await openBrowser(node)
    const {page, origin} = session
    await run('refusing', 'sleep', '600')
    await page.goto(`${origin}/c/n1/default/refusing`)
    await page.getByRole('button', {name: 'Limits…'}).click()
    await page.getByLabel('Memory').fill('much')
    await page.getByRole('button', {name: 'Limits', exact: true}).click()
    const alert = page.getByRole('alert')
    await alert.getByText('INVALID_REQUEST').waitFor()
    expect(await alert.textContent()).toContain('memoryBytes')
    await page.getByRole('button', {name: 'Dismiss'}).click()
    await alert.waitFor({state: 'detached'})
  })

  it('has a terminal, whose program ends as it ends', async () => {
    await using session = await openBrowser(node)
    const {page, origin} = session
    await page.goto(`${origin}/c/n1/default/refusing`)
    await page.getByRole('tab', {name: 'Terminal'}).click()
    await page.getByRole('button', {name: 'Run'}).click()
    await page.getByText('connected').waitFor()
    await page.keyboard.type('echo sum $((40 + 2)); printf "\\033[38;2;1;2;3mcoloured\\033[0m\\n"\n')
    await page.locator('.xterm-rows').getByText('sum 42').waitFor()
    await page.locator('.xterm-rows').getByText('coloured', {exact: true}).waitFor()
    await page.keyboard.type('exit 3\n')
    await page.getByText('ended: exit 3').waitFor()
  })

  it('shows its output as it is written, stderr told apart, colours kept, and never as HTML', async () => {
    await using session = await openBrowser(node)
    const {page, origin} = session
    await run(
      'writing',
      'sh',
      '-c',
      'printf "\\033[31mred\\033[0m <img src=x onerror=alert(1)>\\n"; echo wrong >&2; read line; echo "$line"',
    )
    await page.goto(`${origin}/c/n1/default/writing`)
    await page.getByRole('tab', {name: 'Output'}).click()
    const log = page.getByRole('log')
    await log.getByText('<img src=x onerror=alert(1)>').waitFor()
    expect(await log.locator('img').count()).toBe(0)
    expect(await log.locator('.ansi', {hasText: 'red'}).getAttribute('style')).toContain('--ansi-1')
    await log.locator('[data-stream="stderr"]', {hasText: 'wrong'}).waitFor()
  })

  it('is remembered when it is deleted', async () => {
    await using session = await openBrowser(node)
    const {page} = session
    expect(await node.tally('rm', 'lit')).toMatchObject({exitCode: 0})
    await page.locator('[data-id="writing"]').waitFor()
    expect(await page.locator('[data-id="lit"]').count()).toBe(0)
    await page.getByRole('button', {name: 'with deleted'}).click()
    await page.locator('[data-id="lit"]').getByRole('link').click()
    await lit(page, 'deleted').waitFor()
    await page.getByRole('tab', {name: 'Output'}).click()
    await page.getByText('The output was deleted with the container.').waitFor()
    await run('lit', 'sleep', '600')
    await page.getByRole('link', {name: 'Another container'}).click()
    await lit(page, 'running').waitFor()
  })
})

describe('the list of containers', () => {
  it('finds, filters and is walked through by keys', async () => {
    await using session = await openBrowser(node)
    const {page} = session
    await page.locator('[data-id="refusing"]').waitFor()
    await page.keyboard.press('/')
    await page.locator('#find:focus').waitFor()
    await page.keyboard.type('refus')
    await page.locator('[data-id="writing"]').waitFor({state: 'detached'})
    await page.keyboard.press('Escape')
    await page.locator('[data-id="writing"]').waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.locator('.row[data-chosen="true"]').waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('slider', {name: 'Event'}).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('list', {name: 'Containers'}).waitFor()
  })

  it('misses nothing of what happened while the node was away, and needs no new login', async () => {
    await using session = await openBrowser(node)
    const {page, origin} = session
    await run('meanwhile', 'sh', '-c', 'sleep 8; exit 7')
    await page.locator('[data-id="meanwhile"] [data-state="running"]').waitFor()
    expect(await node.tally('down')).toMatchObject({exitCode: 0})
    await page.getByText('reconnecting', {exact: true}).waitFor()
    await eventually('it has ended', () => node.journal('meanwhile').some((line) => line.includes('container.exited')))
    expect(await node.tally('up', '-d', '--http', new URL(origin).host)).toMatchObject({exitCode: 0})
    await page.locator('[data-id="meanwhile"]').getByText('exit 7', {exact: true}).waitFor()
    await page.getByText('live', {exact: true}).waitFor()
  })
})
