import {expect, it} from 'vitest'
import type {Limits} from '../../../machines/schemas/limits.ts'
import {assertLimits} from '../../../src/runtime/spec/limit-bounds.ts'

const online = '0-3,8'
const check = (limits: Limits) => () => assertLimits(limits, online)

it.each<readonly [Limits, string]>([
  [{memoryBytes: 1}, 'memoryBytes: expected at least 6291456, got 1'],
  [{memoryBytes: 6_291_455}, 'memoryBytes: expected at least 6291456, got 6291455'],
  [{cpus: 0.000_001}, 'cpus: expected 0.01 to 10000, got 0.000001'],
  [{cpus: 0.009}, 'cpus: expected 0.01 to 10000, got 0.009'],
  [{cpuShares: 1}, 'cpuShares: expected 2 to 262144, got 1'],
  [{pidsLimit: 4_194_305}, 'pidsLimit: expected 1 to 4194304, got 4194305'],
  [{cpusetCpus: '0-4'}, 'cpusetCpus: expected CPUs of this host (0-3,8), got 0-4'],
  [{cpusetCpus: '0,4-8'}, 'cpusetCpus: expected CPUs of this host (0-3,8), got 0,4-8'],
  [{cpusetCpus: '0-99999999999'}, 'cpusetCpus: expected CPUs of this host (0-3,8), got 0-99999999999'],
  [{cpusetCpus: '3-1'}, 'cpusetCpus: expected the first of a range not above its last, got 3-1'],
])('a limit that the kernel cannot take is refused with the range: %o', (limits, message) => {
  expect(check(limits)).toThrow(expect.objectContaining({code: 'INVALID_REQUEST', message}))
})

it.each<Limits>([
  {},
  {memoryBytes: null, cpus: null, pidsLimit: null},
  {memoryBytes: 6_291_456, cpus: 0.01, cpuShares: 2, pidsLimit: 1, cpusetCpus: '0-3,8'},
  {memoryBytes: Number.MAX_SAFE_INTEGER, cpus: 10_000, cpuShares: 262_144, pidsLimit: 4_194_304, cpusetCpus: '8'},
])('a limit that it can take is not: %o', (limits) => {
  expect(check(limits)).not.toThrow()
})
