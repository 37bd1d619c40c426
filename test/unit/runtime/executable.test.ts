import {chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {findExecutionFault} from '../../../src/runtime/executable.ts'
import {makeTempDir} from '../support/temp-dir.ts'

/** A 64 bit little-endian ELF program with an interpreter. */
function makeElf({machine, interpreter}: {readonly machine: number; readonly interpreter?: string}): Buffer {
  const bytes = Buffer.alloc(512)
  bytes.write('\x7fELF\x02\x01\x01', 'latin1')
  bytes.writeUInt16LE(2, 16)
  bytes.writeUInt16LE(machine, 18)
  bytes.writeBigUInt64LE(64n, 32)
  bytes.writeUInt16LE(56, 54)
  bytes.writeUInt16LE(interpreter === undefined ? 0 : 1, 56)
  if (interpreter === undefined) return bytes
  bytes.writeUInt32LE(3, 64)
  bytes.writeBigUInt64LE(256n, 72)
  bytes.writeBigUInt64LE(BigInt(interpreter.length + 1), 96)
  bytes.write(`${interpreter}\0`, 256, 'latin1')
  return bytes
}

const own = process.arch === 'arm64' ? 183 : 62
const foreign = process.arch === 'arm64' ? 62 : 183

function findFault(files: Readonly<Record<string, string | Buffer>>, args: readonly string[], {cwd = '/', env = ['PATH=/bin']} = {}) {
  using dir = makeTempDir()
  for (const [path, content] of Object.entries({'/bin/sh': makeElf({machine: own}), ...files})) {
    mkdirSync(dirname(join(dir.path, path)), {recursive: true})
    writeFileSync(join(dir.path, path), content)
    chmodSync(join(dir.path, path), 0o755)
  }
  chmodSync(join(dir.path, 'bin/sh'), 0o755)
  symlinkSync('/bin/sh', join(dir.path, 'bin/linked'))
  return findExecutionFault(dir.path, {args, cwd, env})
}

describe('a program that the kernel does not execute', () => {
  it.each<[string, string | Buffer, string, string]>([
    ['of a missing interpreter', '#!/nope\n', 'COMMAND_NOT_FOUND', '/x needs "/nope", which does not exist in the container'],
    ['of one with arguments', '#! /nope -x y\n', 'COMMAND_NOT_FOUND', '/x needs "/nope", which does not exist in the container'],
    [
      'written on another system',
      '#!/bin/sh\r\necho\r\n',
      'COMMAND_NOT_FOUND',
      '/x needs "/bin/sh\\r", which does not exist in the container',
    ],
    ['of no interpreter', '#!\n', 'COMMAND_NOT_EXECUTABLE', '/x begins with #!, but names no interpreter'],
    ['that is text', 'echo\n', 'COMMAND_NOT_EXECUTABLE', '/x is neither a program of Linux nor a script that begins with #!'],
    ['that is empty', '', 'COMMAND_NOT_EXECUTABLE', '/x is neither a program of Linux nor a script that begins with #!'],
    ['that is cut off', '\x7fELF', 'COMMAND_NOT_EXECUTABLE', '/x is a program that has been cut off'],
    [
      'for another machine',
      makeElf({machine: foreign}),
      'COMMAND_NOT_EXECUTABLE',
      `/x is a program for ${foreign === 183 ? 'arm64' : 'x64'}, and this host is ${process.arch}`,
    ],
    [
      'without its loader',
      makeElf({machine: own, interpreter: '/lib64/ld-linux-x86-64.so.2'}),
      'COMMAND_NOT_FOUND',
      '/x needs "/lib64/ld-linux-x86-64.so.2", which does not exist in the container',
    ],
    [
      'of a loader that is a directory',
      makeElf({machine: own, interpreter: '/bin'}),
      'COMMAND_NOT_FOUND',
      '/x needs "/bin", which does not exist in the container',
    ],
    ['whose interpreter has none', '#!/y\n', 'COMMAND_NOT_FOUND', '/y needs "/none", which does not exist in the container'],
  ])('gets a reason: %s', (_, content, code, message) => {
    expect(findFault({'/x': content, '/y': '#!/none\n'}, ['/x'])).toEqual({code, message})
  })

  it('is found as by the kernel: in the PATH, in the working directory, behind links', () => {
    const files = {'/opt/x': 'text'}
    const fault = {code: 'COMMAND_NOT_EXECUTABLE', message: expect.stringContaining('/opt/x')}
    expect(findFault(files, ['x'], {env: ['PATH=relative:/none:/opt']})).toMatchObject(fault)
    expect(findFault(files, ['./x'], {cwd: '/opt'})).toMatchObject(fault)
    expect(findFault({'/opt/x': '#!./nope'}, ['x'], {cwd: '/opt', env: ['PATH=/opt']})).toMatchObject({code: 'COMMAND_NOT_FOUND'})
  })
})

describe('a program without a fault', () => {
  it.each<[string, string | Buffer]>([
    ['of this machine', makeElf({machine: own})],
    ['with its loader', makeElf({machine: own, interpreter: '/bin/sh'})],
    ['that is a script', '#!/bin/sh\n'],
    ['that is a script without an end of line', '#! \t/bin/linked'],
    ['that goes round in circles', '#!/x\n'],
  ])('has no fault: %s', (_, content) => {
    expect(findFault({'/x': content}, ['/x'])).toBeUndefined()
  })

  it('can be one of the host, or be missing', () => {
    using dir = makeTempDir()
    copyFileSync(process.execPath, join(dir.path, 'node'))
    expect(findExecutionFault('/', {args: [process.execPath], cwd: '/', env: []})).toBeUndefined()
    expect(findFault({}, ['/none'])).toBeUndefined()
    expect(findFault({}, [])).toBeUndefined()
  })
})
