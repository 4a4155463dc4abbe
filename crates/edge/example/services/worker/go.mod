module shop.example.com/worker

go 1.24
