import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {closeSync, openSync} from 'node:fs'
import {join} from 'node:path'
import {beforeEach, expect, onTestFinished, test} from 'vitest'
import {lockFile} from '../../../src/linux/file-lock.ts'
import {makeTempDir} from '../../support/temp-dir.ts'

const program = join(import.meta.dirname, '../../fixtures/programs/hold-lock.ts')
let file: string

beforeEach(() => {
  const dir = makeTempDir()
  onTestFinished(() => dir[Symbol.asyncDispose]())
  file = join(dir.path, 'locked')
})

function open(): number {
  const fd = openSync(file, 'a+')
  onTestFinished(() => {
    try {
      closeSync(fd)
    } catch {
      // The test has closed it.
    }
  })
  return fd
}

async function startHolder() {
  const holder = spawn(process.execPath, [program, file], {stdio: ['ignore', 'pipe', 'inherit']})
  onTestFinished(() => void holder.kill('SIGKILL'))
  const [said] = await once(holder.stdout, 'data')
  return {holder, said: String(said).trim()}
}

test('the second to lock a file is refused, and gets it when the first has closed it', () => {
  const [first, second] = [open(), open()]
  expect(lockFile(first)).toBe(true)
  expect(lockFile(second)).toBe(false)
  closeSync(first)
  expect(lockFile(second)).toBe(true)
})

test('the holder may lock it again', () => {
  const fd = open()
  expect([lockFile(fd), lockFile(fd)]).toEqual([true, true])
})

test('another process is refused while we hold it', async () => {
  expect(lockFile(open())).toBe(true)
  expect((await startHolder()).said).toBe('refused')
})

test('the kernel gives the lock back when the process that holds it is killed', async () => {
  const {holder, said} = await startHolder()
  expect(said).toBe('locked')
  const fd = open()
  expect(lockFile(fd)).toBe(false)
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  expect(lockFile(fd)).toBe(true)
})

test('locking what is not open is an error that names the call and the errno', () => {
  const fd = open()
  closeSync(fd)
  expect(() => lockFile(fd)).toThrowError('flock: EBADF')
})
