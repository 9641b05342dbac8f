//! A PAM module that asks the lab whether a token is good.
//!
//! Compiled by the lab on demand, never part of the program: it is the one place that has to
//! speak C. Argument `socket=PATH`; sends user and token with their lengths, reads one byte.
//! Refusals are PAM_PERM_DENIED, so that the server logs what RDS logs. The functions of libpam
//! stay undefined here: the server process has it loaded.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

const PAM_SUCCESS: c_int = 0;
const PAM_PERM_DENIED: c_int = 6;
const PAM_AUTHTOK: c_int = 6;

unsafe extern "C" {
    fn pam_get_user(handle: *mut c_void, user: *mut *const c_char, prompt: *const c_char) -> c_int;
    fn pam_get_authtok(
        handle: *mut c_void,
        item: c_int,
        token: *mut *const c_char,
        prompt: *const c_char,
    ) -> c_int;
}

fn ask(socket: &str, user: &[u8], token: &[u8]) -> std::io::Result<bool> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    for part in [user, token] {
        let length = u32::try_from(part.len()).map_err(std::io::Error::other)?;
        stream.write_all(&length.to_be_bytes())?;
        stream.write_all(part)?;
    }
    let mut answer = [0_u8];
    stream.read_exact(&mut answer)?;
    Ok(answer == [1])
}

/// # Safety
/// Called by libpam with a valid handle and `count` valid arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pam_sm_authenticate(
    handle: *mut c_void,
    _flags: c_int,
    count: c_int,
    arguments: *const *const c_char,
) -> c_int {
    let mut socket = "";
    for index in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: libpam passes `count` zero-terminated strings that outlive the call.
        let argument = unsafe { CStr::from_ptr(*arguments.add(index)) };
        if let Some(path) = argument.to_str().ok().and_then(|text| text.strip_prefix("socket=")) {
            socket = path;
        }
    }
    let none = std::ptr::null();
    let (mut user, mut token) = (none, none);
    // SAFETY: the handle is libpam's, the places are ours.
    let got = unsafe {
        pam_get_user(handle, &mut user, none) == PAM_SUCCESS
            && pam_get_authtok(handle, PAM_AUTHTOK, &mut token, none) == PAM_SUCCESS
    };
    if !got || user.is_null() || token.is_null() {
        return PAM_PERM_DENIED;
    }
    // SAFETY: libpam keeps both zero-terminated strings alive for this call.
    let (user, token) = unsafe { (CStr::from_ptr(user), CStr::from_ptr(token)) };
    match ask(socket, user.to_bytes(), token.to_bytes()) {
        Ok(true) => PAM_SUCCESS,
        _ => PAM_PERM_DENIED,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn pam_sm_setcred(
    _: *mut c_void,
    _: c_int,
    _: c_int,
    _: *const *const c_char,
) -> c_int {
    PAM_SUCCESS
}
