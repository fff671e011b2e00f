(function (tracer, config, intrinsicGas) {
  // Around what a client wrote: the first error of a function ends the trace, as in geth.
  "use strict";
  const isFunction = (name) => typeof tracer[name] === "function";
  if (tracer === null || typeof tracer !== "object") {
    throw new TypeError("a tracer is an object with result() and fault()");
  }
  for (const name of ["result", "fault"]) {
    if (!isFunction(name)) throw new TypeError("trace object must expose a function " + name + "()");
  }
  if (isFunction("enter") !== isFunction("exit")) {
    throw new TypeError("trace object must expose either both or none of enter() and exit()");
  }
  let running = null;
  let failed = null;
  const fail = (name, text) => {
    failed = text + "    in server-side tracer function '" + name + "'";
  };
  const run = (name, first, second) => {
    // What no catch sees (too many rounds of a loop, too deep calls) leaves this set.
    if (running !== null && failed === null) fail(running, "RangeError: too many loop iterations or nested calls");
    if (failed !== null) return undefined;
    running = name;
    let told;
    try {
      told = tracer[name](first, second);
    } catch (error) {
      fail(name, String(error));
    }
    running = null;
    return told;
  };
  const made = {
    fault: (log, db) => { run("fault", log, db); },
    result: (ctx, db) => {
      ctx.intrinsicGas = intrinsicGas;
      const told = run("result", ctx, db);
      if (failed !== null) throw new Error(failed);
      return told === undefined ? null : told;
    },
  };
  if (isFunction("step")) made.step = (log, db) => { run("step", log, db); };
  if (isFunction("enter")) {
    made.enter = (frame) => { run("enter", frame); };
    made.exit = (result) => { run("exit", result); };
  }
  if (isFunction("setup")) {
    // Geth gives JSON, others the object: this is read as either.
    const given = JSON.parse(config);
    const object = given !== null && typeof given === "object";
    if (object) Object.defineProperty(given, "toString", { value: () => config });
    made.setup = () => {
      run("setup", object ? given : config);
      if (failed !== null) throw new Error(failed);
    };
  }
  return made;
})
