// A stream as two curves: when its frames were recorded, and when they left. Late is to the right, a stall is flat.

import { count, h, ms } from "./dom.js";

const HEIGHT = 220,
  LEFT = 46,
  RIGHT = 14,
  TOP = 26,
  BOTTOM = 38;
const ENDS = { complete: "◆", client_left: "▷", open: "" };

/** `schedule` and `left` are ms after the headers, a number for each frame; `now` is when it was looked at, or when the
 * client left; `gap` is the
 * longest one; `cursor` the number of a frame. `label` says in words what is drawn. */
export function plot({ width, schedule, left, now, planned, outcome, fault, gap, cursor, label, onpick }) {
  const inner = Math.max(width, 260) - LEFT - RIGHT,
    tall = HEIGHT - TOP - BOTTOM;
  const end = Math.max(now ?? 0, schedule?.at(-1) ?? 0, left.at(-1) ?? 0, 1),
    most = Math.max(planned ?? 0, schedule?.length ?? 0, left.length, 1);
  const x = (time) => LEFT + (inner * Math.max(time, 0)) / end,
    y = (frames) => TOP + tall - (tall * frames) / most;
  const last = left.length ? [x(now ?? left.at(-1)), y(left.length)] : [x(now ?? 0), y(0)];
  const isCut = outcome !== "complete" && fault;
  const picked = (event) => {
    const time = ((event.offsetX - LEFT) / inner) * end;
    const nearest = left.reduce(
      (best, at, index) => (Math.abs(at - time) < Math.abs(left[best] - time) ? index : best),
      0,
    );
    onpick?.(nearest + 1);
  };
  return h(
    "svg",
    {
      class: "plot",
      role: "img",
      "aria-label": label,
      width: inner + LEFT + RIGHT,
      height: HEIGHT,
      onclick: left.length && picked,
    },
    gap?.is_long &&
      h("rect", {
        class: "gap",
        x: x(gap.from_ms),
        y: TOP,
        width: x(gap.from_ms + gap.ms) - x(gap.from_ms),
        height: tall,
      }),
    ticks(most, 4, true).map((value) => [
      h("line", { class: "grid", x1: LEFT, x2: LEFT + inner, y1: y(value), y2: y(value) }),
      h("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, count(value)),
    ]),
    ticks(end, Math.max(2, Math.floor(inner / 90))).map((value) =>
      h("text", { x: x(value), y: HEIGHT - BOTTOM + 16, "text-anchor": "middle" }, count(value)),
    ),
    h("line", { class: "axis", x1: LEFT, x2: LEFT + inner, y1: y(0), y2: y(0) }),
    h("text", { class: "title", x: LEFT + inner, y: HEIGHT - 6, "text-anchor": "end" }, "ms since the headers"),
    h("text", { class: "title", x: 2, y: 13 }, "frames"),
    left.length && h("path", { class: "left", d: steps(left, x, y) + (now ? `H${x(now).toFixed(1)}` : "") }),
    !left.length && now && h("path", { class: "left", d: `M${LEFT} ${y(0)}H${x(now).toFixed(1)}` }),
    schedule && h("path", { class: "recorded", d: steps(schedule, x, y) }),
    left.length && h("circle", { class: "first", cx: x(left[0]), cy: y(1), r: 3.5 }),
    isCut && h("line", { class: "fault", x1: x(left.at(-1) ?? 0), x2: x(left.at(-1) ?? 0), y1: TOP, y2: TOP + tall }),
    isCut && named(fault, x(left.at(-1) ?? 0), LEFT + inner),
    outcome && h("text", { class: "end", x: last[0], y: last[1] + 4, "text-anchor": "middle" }, ENDS[outcome] ?? "✕"),
    cursor &&
      left[cursor - 1] != null &&
      h("line", { class: "cursor", x1: x(left[cursor - 1]), x2: x(left[cursor - 1]), y1: TOP, y2: TOP + tall }),
    legend(schedule, left.length || now, LEFT + inner),
  );
}

function named(fault, at, end) {
  const isLeft = at > end / 2;
  return h(
    "text",
    { class: "fault", x: at + (isLeft ? -5 : 5), y: HEIGHT - BOTTOM - 8, "text-anchor": isLeft ? "end" : "start" },
    fault,
  );
}

function legend(schedule, left, end) {
  const isWide = end > 340;
  const entries = [
    left && ["left", isWide ? "left the fake Azure" : "left", isWide ? 122 : 26],
    schedule && ["recorded", "recorded", 60],
  ].filter(Boolean);
  let from = end;
  return entries.map(([name, words, wide]) => {
    from -= wide + 30;
    return [
      h("line", { class: name, x1: from, x2: from + 20, y1: 9, y2: 9 }),
      h("text", { x: from + 25, y: 13 }, words),
    ];
  });
}

/** A step for each frame; at most two points a pixel, so that 10,000 frames are no matter. */
function steps(times, x, y) {
  let path = `M${x(0)} ${y(0)}`,
    column = null,
    height = "";
  times.forEach((time, index) => {
    const here = (Math.round(x(time) * 2) / 2).toFixed(1);
    if (here !== column) path += `${height}H${(column = here)}`;
    height = `V${y(index + 1).toFixed(1)}`;
  });
  return path + height;
}

/** Round numbers from 0 to `end`, about `wanted` of them. */
function ticks(end, wanted, isWhole = false) {
  const rough = end / wanted,
    power = 10 ** Math.floor(Math.log10(rough));
  const by = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough && (!isWhole || one >= 1)) ?? 1;
  return Array.from({ length: Math.floor(end / by) + 1 }, (_, index) => Math.round(index * by * 1000) / 1000);
}

/** What is said of a schedule alone. */
export const told = (schedule) =>
  `${count(schedule.length)} frames, recorded in ${ms(schedule.at(-1))} ms. First after ${ms(schedule[0])} ms.`;
