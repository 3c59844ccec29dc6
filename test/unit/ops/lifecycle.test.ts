import assert from "node:assert/strict";
import { Lifecycle, type Stage } from "../../../ops/lifecycle.ts";
import { virtualClock } from "../../../runtime/clock.ts";
import { waitUntil } from "../../support/wait-until.ts";

function world() {
  const told: string[] = [];
  const clock = virtualClock();
  const stage = (name: string, more: Partial<Stage> = {}): Stage => ({
    name,
    start: () => void told.push(`start ${name}`),
    stop: () => void told.push(`stop ${name}`),
    ...more,
  });
  const lifecycle = (stages: Stage[]) =>
    new Lifecycle(stages, clock, {
      stageStarted: () => undefined,
      stageStopped: () => undefined,
      stageFailedToStop: (name, error) => told.push(`failed to stop ${name}: ${String(error)}`),
    });
  return { told, clock, stage, lifecycle };
}

describe("lifecycle", () => {
  it("starts forward and stops backward", async () => {
    const { told, stage, lifecycle } = world();
    const life = lifecycle([stage("a"), stage("b"), stage("c")]);
    await life.start();
    await life.stop();
    assert.deepEqual(told, ["start a", "start b", "start c", "stop c", "stop b", "stop a"]);
  });

  it("stops what had started when a stage fails, and passes its error on", async () => {
    const { told, stage, lifecycle } = world();
    const broken = stage("b", { start: () => Promise.reject(new Error("no disk")) });
    await assert.rejects(lifecycle([stage("a"), broken, stage("c")]).start(), /no disk/);
    assert.deepEqual(told, ["start a", "stop a"]);
  });

  it("gives up on a stage that does not start within its time, by name", async () => {
    const { told, clock, stage, lifecycle } = world();
    const hanging = stage("b", { start: () => new Promise(() => undefined), startTimeoutMs: 500 });
    const started = lifecycle([stage("a"), hanging]).start();
    await waitUntil("the deadline of the second stage is set", () => clock.untilNext() === 500);
    clock.advance(500);
    await assert.rejects(started, /The start of the stage "b" took longer than 500 ms/);
    assert.deepEqual(told, ["start a", "stop a"]);
  });

  it("goes on stopping when one stage can't be stopped", async () => {
    const { told, stage, lifecycle } = world();
    const stubborn = stage("b", { stop: () => Promise.reject(new Error("busy")) });
    const life = lifecycle([stage("a"), stubborn, stage("c")]);
    await life.start();
    await life.stop();
    assert.deepEqual(told, ["start a", "start b", "start c", "stop c", "failed to stop b: Error: busy", "stop a"]);
  });

  it("stops once, however often it is asked", async () => {
    const { told, stage, lifecycle } = world();
    const life = lifecycle([stage("a")]);
    await life.start();
    await Promise.all([life.stop(), life.stop()]);
    assert.deepEqual(told, ["start a", "stop a"]);
  });

  it("does not go on starting once it was told to stop, and stops the stage that was just starting", async () => {
    const { told, stage, lifecycle } = world();
    const life = lifecycle([stage("a", { start: () => void life.stop() }), stage("b")]);
    await assert.rejects(life.start(), /stopping/);
    assert.deepEqual(told, ["stop a"]);
  });
});
