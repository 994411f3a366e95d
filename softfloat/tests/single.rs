//! binary32 against the hardware.
use opml_softfloat::single;
fn canonical(x: f32) -> u32 { if x.is_nan() { single::NAN } else { x.to_bits() } }
#[test]
fn quick() {
    let edge: Vec<u32> = {
        let mut v = vec![];
        for e in 0..256u32 { for f in [0u32,1,2,3,0x3fffff,0x400000,0x400001,0x7ffffe,0x7fffff,0x555555] { v.push(e<<23|f); v.push(1<<31|e<<23|f);} }
        v
    };
    for &a in &edge { for &b in &edge {
        check(a,b);
    }}
    let mut s=1u64;
    let mut next=||{ s=s.wrapping_add(0x9e37_79b9_7f4a_7c15); let x=(s^(s>>30)).wrapping_mul(0xbf58_476d_1ce4_e5b9); let x=(x^(x>>27)).wrapping_mul(0x94d0_49bb_1331_11eb); x^(x>>31)};
    for _ in 0..20_000_000u32 { let r=next(); check(r as u32,(r>>32) as u32);
      let r = next(); let a=r as u32; let b=(r>>32) as u32; check(a & 0x83ff_ffff | 0x3c00_0000, b & 0x83ff_ffff | 0x3c00_0000); 
      check(a & 0x83ff_f800 | 0x3c00_0000, b & 0x83ff_f800 | 0x3c00_0000); }
}
fn check(a:u32,b:u32){
    let (x,y)=(f32::from_bits(a),f32::from_bits(b));
    assert_eq!(single::add(a,b),canonical(x+y),"{a:08x}+{b:08x}");
    assert_eq!(single::sub(a,b),canonical(x-y),"{a:08x}-{b:08x}");
    assert_eq!(single::mul(a,b),canonical(x*y),"{a:08x}*{b:08x}");
    assert_eq!(single::div(a,b),canonical(x/y),"{a:08x}/{b:08x}");
}
