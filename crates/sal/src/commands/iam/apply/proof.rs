//! Whose login with a token a move proves, whether that can work, and what is left to prove in the container.

use std::time::Duration;

use iam_cutover::aws::{MayConnect, Operator, operator, shell};
use iam_cutover::run::TokenLogin;

use crate::exit::Exit;
use crate::output;
use crate::wiring::cutover::Cutover;

/// Says who will prove the login, and what to say at the end; an exit code where it is known that the proof must fail.
pub(super) async fn before_the_first_step(
    proof: TokenLogin,
    cutover: &Cutover,
) -> Result<String, Exit> {
    if proof == TokenLogin::Unproved {
        output::note(&format!(
            "--unproved: the login of `{}` with a token is not tried here.",
            cutover.wish.new_user
        ));
        return Ok(format!(
            "Both users exist now. The login with a token was NOT PROVED.{}",
            next(cutover)
        ));
    }
    let Some(api) = &cutover.aws_as_deployment else {
        return Ok(proved("whoever ran this", cutover));
    };
    let now = (cutover.clock)();
    let asking = operator(api, cutover.endpoint(), &cutover.wish.new_user, now);
    let answer = tokio::time::timeout(PATIENCE, asking).await;
    let Operator { arn, may } = answer.unwrap_or_else(|_elapsed| Operator {
        arn: None,
        may: MayConnect::Unknown("AWS gives no answer".to_owned()),
    });
    let arn = arn.unwrap_or_else(|| "whoever runs this".to_owned());
    let user = &cutover.wish.new_user;
    match may {
        MayConnect::Yes => {}
        MayConnect::Unknown(why) => output::note(&format!(
            "Whether {arn} may log in as `{user}` is not known before it is tried ({why})."
        )),
        MayConnect::No(why) => {
            output::problem(&format!(
                "nothing was done: {arn} may not log in as `{user}`, so that the last step would be undone ({why}). Give it what `sal iam policy --for operator` prints, or say --unproved and let the container prove the login"
            ));
            return Err(Exit::Failed);
        }
    }
    Ok(proved(&arn, cutover))
}

/// A closed network drops what is sent to AWS; the login does not need it.
const PATIENCE: Duration = Duration::from_secs(10);

fn proved(arn: &str, cutover: &Cutover) -> String {
    format!(
        "`{}` logs in with IAM. That was with the access of {arn}; whether the deployment's own role may log in is still to be proved.{}",
        cutover.wish.new_user,
        next(cutover)
    )
}

/// The line to paste, with the variables that the deployment does not have yet.
fn next(cutover: &Cutover) -> String {
    let region = cutover
        .endpoint
        .as_ref()
        .and_then(|endpoint| endpoint.region.clone());
    let region = cutover.config.database.region.clone().or(region);
    let region = region.map_or_else(String::new, |region| format!("AWS_RDS_REGION={region} "));
    format!(
        "\nNext, inside the container:\n\n    AWS_IAM=true {region}DB_USER={} sal iam verify\n\nThen switch the deployment over (`sal iam env` prints its variables), and `sal iam finalize` when `sal iam status` shows the old user idle.",
        shell(&cutover.wish.new_user)
    )
}
