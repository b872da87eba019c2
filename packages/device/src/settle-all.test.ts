import { describe, expect, it } from "vitest"
import { BlockError } from "./block-error.ts"
import { settleAll } from "./settle-all.ts"

const failure = (offset?: number) => new BlockError("IO", "gone", offset === undefined ? {} : { offset, length: 512 })

describe("settleAll", () => {
  it("settles after the last part, though another has failed long before", async () => {
    let end = () => {}
    const slow = new Promise<void>((resolve) => {
      end = resolve
    })
    let isSettled = false
    const settled = settleAll([Promise.reject(failure(0)), slow]).catch(() => void (isSettled = true))
    await new Promise((resolve) => setImmediate(resolve))
    expect(isSettled).toBe(false)
    end()
    await settled
    expect(isSettled).toBe(true)
  })

  it("throws the failure of the lowest place, whichever came first", async () => {
    const [low, high] = [failure(512), failure(1024)]
    await expect(settleAll([Promise.reject(high), Promise.resolve(), Promise.reject(low)])).rejects.toBe(low)
    await expect(settleAll([Promise.reject(low), Promise.reject(high)])).rejects.toBe(low)
    const whole = failure()
    await expect(settleAll([Promise.reject(low), Promise.reject(whole)])).rejects.toBe(whole)
  })

  it("throws a bug before all others", async () => {
    const bug = new TypeError("undefined is not a function")
    await expect(settleAll([Promise.reject(failure(0)), Promise.reject(bug)])).rejects.toBe(bug)
  })

  it("takes no part at all", async () => {
    await settleAll([])
  })
})
