import {appendFileSync, truncateSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, it} from 'vitest'
import {toCloudEvent} from '../../../machines/ledger/cloud-event.ts'
import {readLatestEvent} from '../../../src/journal/latest-event.ts'
import {numberedEvents} from '../../support/numbered-events.ts'
import {makeTempDir} from '../../support/temp-dir.ts'

const events = numberedEvents({address: {node: 'n', namespace: 'ns', id: 'c'}, uid: 'u', count: 400})
const lines = events.map((event) => `${JSON.stringify(toCloudEvent(event))}\n`)

it('is the last event of a journal of any length', async () => {
  await using dir = makeTempDir()
  const file = join(dir.path, 'journal')
  for (const count of [1, 2, 399, 400]) {
    writeFileSync(file, lines.slice(0, count).join(''))
    expect(readLatestEvent(file)).toEqual(events[count - 1])
  }
})

it('is found before a torn line, and when it is long', async () => {
  await using dir = makeTempDir()
  const file = join(dir.path, 'journal')
  const [first, second] = events
  const long = second && {...second, actor: 'x'.repeat(200_000)}
  writeFileSync(file, `${lines[0]}${long && JSON.stringify(toCloudEvent(long))}\n`)
  expect(readLatestEvent(file)).toEqual(long)
  appendFileSync(file, lines[2]?.slice(0, 50) ?? '')
  expect(readLatestEvent(file)).toEqual(long)
  truncateSync(file, (lines[0]?.length ?? 0) + 10)
  expect(readLatestEvent(file)).toEqual(first)
})

it('is undefined without a complete line or without a journal', async () => {
  await using dir = makeTempDir()
  const file = join(dir.path, 'journal')
  expect(readLatestEvent(file)).toBeUndefined()
  writeFileSync(file, '{"torn"')
  expect(readLatestEvent(file)).toBeUndefined()
})
