import {closeSync, constants, openSync, readSync, statSync, writeSync} from 'node:fs'
import {join} from 'node:path'
import {beforeEach, expect, onTestFinished, test} from 'vitest'
import {makeFifo} from '../../../src/linux/fifo.ts'
import {bytesInPipe} from '../../../src/linux/pipe.ts'
import {makeTempDir} from '../../support/temp-dir.ts'

let path: string

beforeEach(() => {
  const dir = makeTempDir()
  onTestFinished(() => dir[Symbol.asyncDispose]())
  path = join(dir.path, 'fifo')
})

function open(): number {
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  onTestFinished(() => closeSync(fd))
  return fd
}

test('makes a FIFO that no other user may read', () => {
  makeFifo(path, 0o600)
  expect(statSync(path).isFIFO()).toBe(true)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('leaves a FIFO that exists as it is, with what waits in it', () => {
  makeFifo(path, 0o600)
  const fd = open()
  writeSync(fd, 'still here')
  const {ino} = statSync(path)
  makeFifo(path, 0o644)
  expect(statSync(path)).toMatchObject({ino})
  expect(statSync(path).mode & 0o777).toBe(0o600)
  const bytes = Buffer.alloc(100)
  expect(bytes.toString('utf8', 0, readSync(open(), bytes))).toBe('still here')
})

test('a directory that is missing is an error that names the call and the errno', () => {
  expect(() => makeFifo(join(path, 'missing'), 0o600)).toThrowError(expect.objectContaining({code: 'ENOENT', syscall: 'mkfifo'}))
})

test('the bytes that wait in a pipe can be counted without reading them', () => {
  makeFifo(path, 0o600)
  const fd = open()
  expect(bytesInPipe(fd)).toBe(0)
  writeSync(fd, Buffer.alloc(70))
  writeSync(fd, Buffer.alloc(30_000))
  expect(bytesInPipe(fd)).toBe(30_070)
  readSync(fd, Buffer.alloc(70))
  expect(bytesInPipe(fd)).toBe(30_000)
})

test('counting the bytes of what is no pipe is an error', () => {
  const fd = openSync('/dev/null', 'r')
  onTestFinished(() => closeSync(fd))
  expect(() => bytesInPipe(fd)).toThrowError('FIONREAD: ENOTTY')
})
