//! Who is asking: sessions, passwords, levels and scope of the people's door.
