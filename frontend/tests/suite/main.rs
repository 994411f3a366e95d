//! DEV runner
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use opml_abi::{DataType, Tensor};
use opml_frontend::Model;
use prost::Message;
use tract_onnx::pb::{ModelProto, TensorProto};

fn tensor(path: &Path) -> Option<(TensorProto, Tensor)> {
    let proto = TensorProto::decode(&*fs::read(path).ok()?).ok()?;
    let dtype = DataType::from_code(u8::try_from(proto.data_type).ok()?)?;
    let be = |size: usize| proto.raw_data.chunks(size).flat_map(|c| c.iter().rev().copied().collect::<Vec<_>>()).collect::<Vec<u8>>();
    let mut data = be(dtype.size());
    if data.is_empty() {
        data = match dtype {
            DataType::Float32 => proto.float_data.iter().flat_map(|v| v.to_be_bytes()).collect(),
            DataType::Int64 => proto.int64_data.iter().flat_map(|v| v.to_be_bytes()).collect(),
            DataType::Int32 => proto.int32_data.iter().flat_map(|v| v.to_be_bytes()).collect(),
            _ => proto.int32_data.iter().map(|&v| v as u8).collect(),
        };
    }
    let shape = proto.dims.iter().map(|&d| d as u32).collect();
    Some((proto, Tensor { dtype, shape, data }))
}

fn close(a: &Tensor, b: &Tensor, rtol: f32, atol: f32) -> Result<(), String> {
    if a.dtype != b.dtype || a.shape != b.shape {
        return Err(format!("got {} {:?}, expected {} {:?}", a.dtype, a.shape, b.dtype, b.shape));
    }
    if let (Some(a), Some(b)) = (a.to_f32(), b.to_f32()) {
        for (i, (a, b)) in a.iter().zip(&b).enumerate() {
            let same = a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= atol + rtol * b.abs();
            if !same { return Err(format!("element {i}: got {a}, expected {b}")); }
        }
        return Ok(());
    }
    if a.data == b.data { Ok(()) } else { Err(format!("got {:?}, expected {:?}", &a.data[..a.data.len().min(48)], &b.data[..b.data.len().min(48)])) }
}

fn run(dir: &Path, freeze: &str) -> Result<(), String> {
    let mut proto = ModelProto::decode(&*fs::read(dir.join("model.onnx")).map_err(|e| e.to_string())?).map_err(|e| e.to_string())?;
    let graph = proto.graph.as_mut().unwrap();
    let data = dir.join("test_data_set_0");
    let frozen: BTreeSet<&str> = freeze.split(',').filter(|s| !s.is_empty()).collect();
    let inits: BTreeSet<String> = graph.initializer.iter().map(|t| t.name.clone()).collect();
    let names: Vec<String> = graph.input.iter().map(|i| i.name.clone()).filter(|n| !inits.contains(n)).collect();
    let mut inputs = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let Some((mut p, t)) = tensor(&data.join(format!("input_{i}.pb"))) else { return Err("input type".into()) };
        if frozen.contains(name.as_str()) {
            p.name = name.clone();
            graph.input.retain(|v| v.name != *name);
            graph.initializer.push(p);
        } else { inputs.push(t); }
    }
    let bytes = proto.encode_to_vec();
    let model = Model::from_onnx(&bytes, &BTreeMap::new()).map_err(|e| e.to_string())?;
    let out = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| model.run(&inputs))).map_err(|p| p.downcast_ref::<String>().cloned().or_else(|| p.downcast_ref::<&str>().map(|s| s.to_string())).unwrap_or("panic".into()))?.map_err(|e| e.to_string())?;
    let _ = model.guest_source();
    for (i, out) in out.iter().enumerate() {
        if let Some((_, expected)) = tensor(&data.join(format!("output_{i}.pb"))) {
            close(out, &expected, 1e-3, 1e-7).map_err(|e| format!("output {i}: {e}"))?;
        }
    }
    Ok(())
}

#[test]
fn suite() {
    std::panic::set_hook(Box::new(|_| {}));
    let base = Path::new("/tmp/onnxw/gen");
    let tsv = fs::read_to_string("/tmp/onnxw/acceptance.tsv").unwrap();
    let only = std::env::var("ONLY").unwrap_or_default();
    let (mut ok, mut all) = (0, 0);
    let mut log = String::new();
    for line in tsv.lines().skip(1) {
        let f: Vec<&str> = line.split('\t').collect();
        if !only.is_empty() && !f[1].contains(&only) { continue; }
        if f[0] == "light" { continue; }
        all += 1;
        match run(&base.join(f[0]).join(f[1]), f[6]) {
            Ok(()) => ok += 1,
            Err(e) => log += &format!("{}\t{}\t{}\t{}\n", f[1], f[2], f[7], e.replace('\n', " ")),
        }
    }
    fs::write("/tmp/onnxw/fails.tsv", &log).unwrap();
    if !only.is_empty() { println!("{log}"); }
    println!("{ok} of {all}");
}
