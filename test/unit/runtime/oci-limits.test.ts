import {describe, expect, it} from 'vitest'
import type {Limits} from '../../../machines/schemas/limits.ts'
import {toOciLimits} from '../../../src/runtime/spec/limits.ts'

const change = (limits: Limits, present: Limits = {}, limitsSwap = true) => toOciLimits(limits, {present, limitsSwap})

describe('limits of the OCI spec', () => {
  it.each<[string, Limits, object]>([
    ['nothing', {}, {}],
    ['CPU time', {cpus: 1.5}, {cpu: {quota: 150_000, period: 100_000}}],
    ['no limit of CPU time', {cpus: null}, {cpu: {quota: -1, period: 100_000}}],
    ['shares and a set of CPUs', {cpuShares: 512, cpusetCpus: '0-2,4'}, {cpu: {shares: 512, cpus: '0-2,4'}}],
    ['processes', {pidsLimit: 7}, {pids: {limit: 7}}],
    ['no limit of processes', {pidsLimit: null}, {pids: {limit: -1}}],
    ['memory, without swap', {memoryBytes: 1024}, {memory: {limit: 1024, swap: 1024}}],
    ['memory, with swap', {memoryBytes: 1024, memorySwapBytes: 4096}, {memory: {limit: 1024, swap: 4096}}],
    ['memory, with any swap', {memoryBytes: 1024, memorySwapBytes: null}, {memory: {limit: 1024, swap: -1}}],
    ['no limit of memory', {memoryBytes: null}, {memory: {limit: -1, swap: -1}}],
  ])('are those that change: %s', (_, limits, expected) => {
    expect(change(limits)).toEqual(expected)
  })

  it('do not set swap when the host does not account for it, or when the limits of a bundle are unknown', () => {
    expect(change({memoryBytes: 1024}, {}, false)).toEqual({memory: {limit: 1024}})
    expect(change({memorySwapBytes: 4096}, {}, false)).toEqual({memory: {swap: 4096}})
  })

  it('combine memory and swap with the current limits of the container', () => {
    expect(change({memoryBytes: 2048}, {memoryBytes: 1024})).toEqual({memory: {limit: 2048, swap: 2048}})
    expect(change({memoryBytes: 2048}, {memoryBytes: 1024, memorySwapBytes: 4096})).toEqual({memory: {limit: 2048, swap: 4096}})
    expect(change({memorySwapBytes: 4096}, {memoryBytes: 1024})).toEqual({memory: {limit: 1024, swap: 4096}})
    expect(change({cpus: 1}, {memoryBytes: 1024})).toEqual({cpu: {quota: 100_000, period: 100_000}})
  })

  it.each<[Limits, Limits]>([
    [{memoryBytes: 2048, memorySwapBytes: 1024}, {}],
    [{memoryBytes: 8192}, {memoryBytes: 1024, memorySwapBytes: 4096}],
    [{memoryBytes: null}, {memoryBytes: 1024, memorySwapBytes: 4096}],
    [{memorySwapBytes: 512}, {memoryBytes: 1024}],
  ])('are refused when memory and swap are less than memory: %j, having %j', (limits, present) => {
    expect(() => change(limits, present)).toThrow(/expected memorySwapBytes to be at least memoryBytes/)
  })
})
